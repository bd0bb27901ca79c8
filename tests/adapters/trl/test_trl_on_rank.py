"""What of the judge's settings is a rank's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from grm_plugin import GRMConfig
from grm_plugin.prices import BudgetLimits
from grm_plugin.remote.launching.launch import ServeOptions
from grm_plugin.remote.launching.sharing import _name
from grm_trl.settings import on_rank

SERVE = {"model": "grm", "args": ["--dtype", "float32"]}


@pytest.fixture(autouse=True)
def _run(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TORCHELASTIC_RUN_ID", "CUDA_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MASTER_ADDR", "node0")
    monkeypatch.setenv("MASTER_PORT", "29500")


def test_every_rank_writes_a_record_of_its_own() -> None:
    config = GRMConfig(engine="reference", record=Path("out/r.jsonl"))
    assert [on_rank(config, rank).record for rank in (0, 1)] == [
        Path("out/r.jsonl.rank0"),
        Path("out/r.jsonl.rank1"),
    ]


def test_ranks_share_the_budget_of_a_run() -> None:
    config = GRMConfig(engine="reference", budget={"money": 6, "tokens": 1000})
    assert on_rank(config, 1, 4).budget == BudgetLimits(money=1.5, tokens=250)


def test_ranks_of_a_node_share_the_server_that_the_judge_starts() -> None:
    config = GRMConfig.model_validate({"engine": {"serve": SERVE}, "k": 4})
    own = [on_rank(config, rank) for rank in (0, 1)]
    assert own[0].engine == own[1].engine
    assert own[0].engine.options["serve"] == {**SERVE, "shared": "run at node0:29500"}
    assert own[0].k == 4


def test_they_share_the_server_of_the_meta_rm_too() -> None:
    select = {"name": "meta_rm", "classifier": {"name": "server", "serve": SERVE}}
    config = GRMConfig.model_validate({"engine": "reference", "select": select})
    classifier = on_rank(config, 1).select.options["classifier"]
    assert classifier["serve"] == {**SERVE, "shared": "run at node0:29500"}
    assert classifier["name"] == "server"


@pytest.mark.parametrize(
    ("unset", "env"),
    [
        ((), {"MASTER_PORT": "29501"}),
        ((), {"MASTER_ADDR": "node1"}),
        (("MASTER_PORT",), {"TORCHELASTIC_RUN_ID": "a"}),
        (("MASTER_PORT",), {"TORCHELASTIC_RUN_ID": "none", "CUDA_VISIBLE_DEVICES": "0,1"}),
        (("MASTER_PORT",), {"CUDA_VISIBLE_DEVICES": "2,3"}),
    ],
)
def test_another_run_never_judges_on_the_server_of_this_one(
    unset: tuple[str, ...], env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = GRMConfig.model_validate({"engine": {"serve": SERVE}})
    here = on_rank(config, 0).engine.options["serve"]
    for name in unset:
        monkeypatch.delenv(name)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    there = on_rank(config, 0).engine.options["serve"]
    names = {_name(ServeOptions.model_validate(dict(serve))) for serve in (here, there)}
    assert len(names) == 2


def test_ranks_of_one_run_share_also_where_each_sees_a_gpu_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = GRMConfig.model_validate({"engine": {"serve": SERVE}})
    found = []
    for gpu in "01":
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", gpu)
        found.append(on_rank(config, int(gpu)).engine)
    assert found[0] == found[1]


def test_a_server_for_each_rank_can_be_asked_for() -> None:
    config = GRMConfig.model_validate({"engine": {"serve": {**SERVE, "shared": False}}})
    assert on_rank(config, 1) is config


def test_a_judge_elsewhere_needs_no_change() -> None:
    config = GRMConfig.model_validate({"engine": {"url": "http://127.0.0.1:8001"}})
    assert on_rank(config, 1) is config
