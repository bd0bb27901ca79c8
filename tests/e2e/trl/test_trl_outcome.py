"""A judge learns by its outcomes: the recipe in TRL, and the trainer without padding."""

from __future__ import annotations

import json
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from grm_plugin import GRM, GRMConfig
from grm_plugin.errors import ConfigError
from grm_plugin.reference.judge import MODEL
from grm_plugin.types import Group

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from datasets import Dataset  # noqa: E402
from trl import GRPOConfig, GRPOTrainer  # noqa: E402

from grm_plugin.local.whole import sample_whole  # noqa: E402
from grm_trl import small  # noqa: E402
from grm_trl.small import SmallModelGRPOTrainer  # noqa: E402
from grm_trl.training import MetricsFile, NaNError, StopAtNaN  # noqa: E402
from tests.spct.reference_data import rm_rows  # noqa: E402

ROOT = Path(__file__).parents[3]
RECIPE = ROOT / "recipes/spct/grpo.py"
pytestmark = pytest.mark.timeout(900)  # it is mostly imports, which take long on a busy machine


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `grm train rl-data` makes of eight pairs."""
    from grm_plugin.cli.train_rl_data import rl_data

    folder = tmp_path_factory.mktemp("rows")
    source, out = folder / "rm.jsonl", folder / "rl.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rm_rows(8)))
    rl_data(str(source), out, template="reference")
    return out


def train(rows: Path, folder: Path, *more: object) -> None:
    """The recipe as its command runs it, small; what is in the folder already goes on."""
    size = ("--per_device_train_batch_size", 8, "--max_completion_length", 256)
    where = ("--model_name_or_path", MODEL, "--data", rows, "--output_dir", folder)
    words = [RECIPE, "--config", RECIPE.parent / "reference/grpo.yaml", *where, *size]
    with pytest.MonkeyPatch.context() as command:
        command.setattr(sys, "argv", [*map(str, words), "--save_steps", "1", *map(str, more)])
        runpy.run_path(str(RECIPE), run_name="__main__")


@pytest.fixture(scope="module")
def run(rows: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of two steps that went on for a third."""
    folder = tmp_path_factory.mktemp("run")
    for steps in (2, 3):
        train(rows, folder, "--max_steps", steps)
    return folder


def metrics(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return [row for row in map(json.loads, lines) if "reward" in row]


def test_every_step_is_a_line_of_metrics_also_after_the_run_went_on(run: Path) -> None:
    found = metrics(run)
    assert [row["step"] for row in found] == [1, 2, 3]
    for row in found:
        assert -1 <= row["reward"] <= 1
        assert 0 <= row["outcome/readable"] <= 1
        assert 0 <= row["outcome/N=2/no_spread"] <= 1
        assert row["outcome/N=2/reward"] == pytest.approx(row["reward"])
        assert row["outcome/criteria"] >= 1
        assert row["kl"] is not None


def test_the_picture_and_a_judge_that_can_be_asked_are_there_at_the_end(run: Path) -> None:
    assert (run / "metrics.png").read_bytes().startswith(b"\x89PNG")
    row = rm_rows(1)[0]
    engine = {"name": "transformers", "model": str(run)}
    with GRM(GRMConfig(engine=engine, template="reference", max_tokens=640, k=2)) as grm:
        verdict = grm.score(Group.of(row["prompt"], row["responses"]))
    assert verdict.scored


def test_a_model_without_chat_template_is_refused_in_one_line(rows: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    for path in MODEL.iterdir():
        if path.name != "chat_template.jinja":
            (bare / path.name).write_bytes(path.read_bytes())
    settings = json.loads((bare / "tokenizer_config.json").read_text())
    settings.pop("chat_template", None)
    (bare / "tokenizer_config.json").write_text(json.dumps(settings))
    with pytest.raises(SystemExit, match=r"error: model .* put a chat_template\.jinja into"):
        train(rows, tmp_path / "run", "--model_name_or_path", bare, "--max_steps", 1)


def state(step: int, **more: Any) -> SimpleNamespace:
    return SimpleNamespace(global_step=step, is_world_process_zero=True, **more)


def test_a_loss_that_is_no_number_ends_the_run_with_what_to_do() -> None:
    watch = StopAtNaN()
    watch.on_log(None, state(3), None, {"loss": 0.1, "grad_norm": 2.0})
    watch.on_log(None, state(4), None, {"eval_loss": float("nan")})
    for name in ("loss", "grad_norm"):
        with pytest.raises(NaNError, match=f"{name} is nan at step 5.*lower learning_rate"):
            watch.on_log(None, state(5), None, {name: float("nan")})


def test_settings_that_hide_such_a_loss_are_refused() -> None:
    args = SimpleNamespace(logging_nan_inf_filter=True)
    with pytest.raises(ConfigError, match="logging_nan_inf_filter: expected false"):
        StopAtNaN().on_train_begin(args, state(0), None)


def test_lines_of_steps_that_a_resumed_run_takes_again_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1}\n{"step": 2}\n{"ste')
    watch = MetricsFile(path)
    watch.on_train_begin(None, state(1, log_history=[{"step": 1, "loss": 0.5}]), None)
    watch.on_log(None, state(2), None, {"loss": float("nan")})
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines == [{"step": 1, "loss": 0.5}, {"loss": None, "step": 2}]


@pytest.fixture
def trainers(tiny_model: Path, tmp_path: Path) -> Iterator[tuple[GRPOTrainer, GRPOTrainer]]:
    """TRL's trainer and ours, on one model."""
    config = GRPOConfig(str(tmp_path), use_cpu=True, bf16=False, report_to="none")
    data = Dataset.from_list([{"prompt": "red"}])
    yield tuple(
        kind(str(tiny_model), [lambda completions, **_: [0.0] * len(completions)], config, data)
        for kind in (GRPOTrainer, SmallModelGRPOTrainer)
    )


def test_log_probabilities_without_padding_are_those_of_trl(
    trainers: tuple[GRPOTrainer, GRPOTrainer],
) -> None:
    theirs, _ = trainers
    torch.manual_seed(0)
    prompt, completion, rows = 9, 12, 40
    ids = torch.randint(3, 15, (rows, prompt + completion))
    starts, ends = torch.randint(0, prompt, (rows, 1)), torch.randint(0, completion + 1, (rows, 1))
    places = torch.arange(prompt + completion)
    mask = ((places >= starts) & (places < prompt + ends)).long()
    counts = mask[:, -completion:].bool()
    found = [
        one._get_per_token_logps_and_entropies(
            theirs.model, ids, mask, completion, 8, compute_entropy=True
        )
        for one in trainers
    ]
    for expected, got in zip(*(parts[:2] for parts in found), strict=True):
        assert got.shape == (rows, completion)
        assert torch.allclose(got[counts], expected[counts], atol=1e-5)


def test_a_greedy_round_without_padding_is_that_of_trl(
    trainers: tuple[GRPOTrainer, GRPOTrainer], monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, ours = trainers
    ours.temperature = 1e-4  # all of the probability is the greedy token's
    theirs.generation_config.do_sample = False
    drawn: list[Any] = []

    def watched(*args: Any, **keys: Any) -> Any:
        drawn.append(sample_whole(*args, **keys))
        return drawn[-1]

    monkeypatch.setattr(small, "sample_whole", watched)
    prompts = [[1, 5, 6], [1, 7], [1, 9, 4, 3, 8]]
    expected, got = (one._generate_single_turn(prompts, None, {}, 1)[0] for one in trainers)
    assert got == expected
    assert drawn == [got]


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"use_transformers_continuous_batching": True}, "use_transformers_continuous_batching"),
        ({"cache_implementation": "static"}, "cache_implementation"),
        ({"use_vllm": True}, "use_vllm"),
    ],
)
def test_settings_that_a_small_model_can_not_keep_are_refused(
    tiny_model: Path, tmp_path: Path, settings: dict[str, Any], named: str
) -> None:
    config = GRPOConfig(str(tmp_path), use_cpu=True, bf16=False, report_to="none", **settings)
    with pytest.raises(ConfigError, match=rf"got {named}; leave small_model out"):
        SmallModelGRPOTrainer(str(tiny_model), [len], config)


def test_several_processes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = GRPOConfig(str(tmp_path), use_cpu=True, bf16=False, report_to="none")
    monkeypatch.setattr(GRPOConfig, "world_size", 2)
    with pytest.raises(ConfigError, match="got 2 processes"):
        SmallModelGRPOTrainer("none", [len], config)
