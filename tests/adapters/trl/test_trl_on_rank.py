"""What of the judge's settings is a rank's own."""

from __future__ import annotations

from pathlib import Path

from grm_plugin import GRMConfig
from grm_trl.settings import on_rank

SERVE = {"model": "grm", "args": ["--dtype", "float32"]}


def test_every_rank_writes_a_record_of_its_own() -> None:
    config = GRMConfig(engine="reference", record=Path("out/r.jsonl"))
    assert [on_rank(config, rank).record for rank in (0, 1)] == [
        Path("out/r.jsonl.rank0"),
        Path("out/r.jsonl.rank1"),
    ]


def test_ranks_of_a_node_share_the_server_that_the_judge_starts() -> None:
    config = GRMConfig.model_validate({"engine": {"serve": SERVE}, "k": 4})
    own = on_rank(config, 1)
    assert own.engine.options["serve"] == {**SERVE, "shared": True}
    assert own.k == 4


def test_a_server_for_each_rank_can_be_asked_for() -> None:
    config = GRMConfig.model_validate({"engine": {"serve": {**SERVE, "shared": False}}})
    assert on_rank(config, 1) is config


def test_a_judge_elsewhere_needs_no_change() -> None:
    config = GRMConfig.model_validate({"engine": {"url": "http://127.0.0.1:8001"}})
    assert on_rank(config, 1) is config
