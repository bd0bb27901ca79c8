"""The stages of the recipes of real size: what each runs, by the parsers of what it runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.main import get_command

from grm_plugin.cli import app
from recipes.spct.reckoning import Recipe

pytest.importorskip("accelerate")

from accelerate.commands.config.config_args import load_config_from_file
from accelerate.commands.launch import launch_command_parser

ROOT = Path(__file__).parents[2]
MODELS = ("Qwen3-8B", "gemma-2-27b")
TRAINING = ("sft", "grpo")
OF_OURS = ("sample", "reject", "rl-data", "resample", "meta-data", "meta", "scale")

# Takes the place of programs on PATH: writes down how they were called.
_PROGRAM = f"""#!{sys.executable}
import json, os, sys
with open(os.environ["CALLS"], "a") as file:
    file.write(json.dumps([os.path.basename(sys.argv[0]), *sys.argv[1:]]) + "\\n")
"""

Run = Callable[..., list[list[str]]]
every_model = pytest.mark.parametrize("model", MODELS)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs one stage, and says which programs it called with which arguments."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("grm", "accelerate", "python"):
        (programs / name).write_text(_PROGRAM)
        (programs / name).chmod(0o755)
    calls = tmp_path / "calls.jsonl"
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"

    def stage(model: str, *words: str, **env: str) -> list[list[str]]:
        script = ROOT / "recipes/spct" / model / "stage.sh"
        calls.unlink(missing_ok=True)
        given = {**os.environ, "PATH": path, "CALLS": str(calls), **env}
        subprocess.run(["bash", str(script), *words], cwd=ROOT, env=given, check=True, timeout=60)
        return [json.loads(line) for line in calls.read_text().splitlines()]

    return stage


def takes(words: list[str]) -> None:
    """Has the parser of ``grm`` read what comes after its name, and nothing more."""
    command = get_command(app)
    context = command.make_context("grm", list(words), resilient_parsing=False)
    while hasattr(command, "resolve_command"):
        rest = [*context._protected_args, *context.args]
        _, command, words = command.resolve_command(context, rest)
        context = command.make_context(command.name, list(words), parent=context)


@every_model
@pytest.mark.parametrize("stage", OF_OURS)
def test_every_command_of_ours_takes_its_options(model: str, stage: str, run: Run) -> None:
    (call,) = run(model, stage)
    if call[0] == "accelerate":
        call = call[call.index(next(word for word in call if word.endswith("/grm"))) :]
    takes(call[1:])


def test_an_option_that_no_command_has_would_be_found(run: Run) -> None:
    (call,) = run("Qwen3-8B", "reject", "--esay", "easy.jsonl")
    with pytest.raises(Exception, match="No such option: --esay"):
        takes(call[1:])


@every_model
@pytest.mark.parametrize("lora", ["", "1"])
@pytest.mark.parametrize("stage", TRAINING)
def test_a_stage_is_spread_over_the_gpus_that_its_size_says(
    model: str, stage: str, lora: str, run: Run
) -> None:
    call, *merging = run(model, stage, **({"LORA": lora} if lora else {}))
    name = f"{stage}_lora" if lora else stage
    known = launch_command_parser().parse_args(call[2:])
    gpus = {one.name: one.gpus for one in Recipe(ROOT / "recipes/spct" / model).stages}
    assert load_config_from_file(known.config_file).num_processes == gpus[name]
    assert Path(known.training_script) == ROOT / f"recipes/spct/{stage}.py"
    settings = known.training_script_args[known.training_script_args.index("--config") + 1]
    assert Path(settings) == ROOT / f"recipes/spct/{model}/{name}.yaml"
    assert bool(merging) == bool(lora)


@every_model
def test_adapters_are_merged_and_the_next_stage_starts_from_what_came_of_it(
    model: str, run: Run
) -> None:
    _, (_, script, adapter, merged) = run(model, "sft", LORA="1")
    assert Path(script) == ROOT / "recipes/spct/merge_adapter.py"
    assert merged == f"{adapter}_merged"
    grpo, _ = run(model, "grpo", LORA="1")
    assert grpo[grpo.index("--model_name_or_path") + 1] == merged
    (call,) = run(model, "scale", LORA="1")
    assert f"engine.serve.model=out/spct/{model}/rl_lora_merged" in call


def test_a_node_says_which_one_it_is(run: Run) -> None:
    (call,) = run("gemma-2-27b", "grpo", ACCELERATE="--machine_rank 1 --main_process_ip 10.0.0.1")
    known = launch_command_parser().parse_args(call[2:])
    assert (known.machine_rank, known.main_process_ip) == (1, "10.0.0.1")


def test_a_stage_that_is_none_is_told(run: Run) -> None:
    with pytest.raises(subprocess.CalledProcessError, match="status 2"):
        run("Qwen3-8B", "sfd")
