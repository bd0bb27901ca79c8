"""The OpenRLHF scripts of real size against the installed trainer's parser, checks and requests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from grm_plugin.config import ENV
from tests.recipes.test_openrlhf_recipes import StartHost, start_host

__all__ = ["start_host"]

ROOT = Path(__file__).parents[2]
GPUS = {"Qwen3-8B": 8, "gemma-2-27b": 16}

# Takes the place of python on PATH: writes down how it was called.
_PYTHON = f"""#!{sys.executable}
import json, os, pathlib, sys
call = [os.environ["GRM_CONFIG"], *sys.argv[1:]]
pathlib.Path(os.environ["CALLED"]).write_text(json.dumps(call))
"""

Call = Callable[..., list[str]]
every_model = pytest.mark.parametrize("model", GPUS)


@pytest.fixture
def called(tmp_path: Path) -> Call:
    """Runs a script up to its call of the trainer, and says with which options."""
    program = tmp_path / "bin/python"
    program.parent.mkdir()
    program.write_text(_PYTHON)
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    outside = {name: value for name, value in os.environ.items() if name != ENV}
    env = outside | {"PATH": path, "CALLED": str(tmp_path / "called.json")}

    def call(model: str, *more: str) -> list[str]:
        script = ROOT / "recipes/spct" / model / "openrlhf/grpo.sh"
        subprocess.run(["bash", str(script), *more], cwd=tmp_path, env=env, check=True, timeout=60)
        judge, module, name, *options = json.loads((tmp_path / "called.json").read_text())
        assert (module, name) == ("-m", "openrlhf.cli.train_ppo_ray")
        assert Path(judge) == ROOT / "recipes/spct" / model / "judge.yaml"
        return list(options)

    return call


@every_model
def test_the_host_takes_every_option_and_has_nothing_to_complain_about(
    model: str, called: Call, start_host: StartHost, capsys: pytest.CaptureFixture[str]
) -> None:
    host = start_host(called(model))
    assert capsys.readouterr().out == ""
    agent = Path(host.args.train.agent_func_path).resolve()
    assert agent == ROOT / "adapters/grm_openrlhf/outcome_agent.py" and agent.is_file()
    assert host.args.data.label_key == "target"


@every_model
def test_a_step_is_the_papers(model: str, called: Call, start_host: StartHost) -> None:
    host = start_host(called(model))
    args = host.args
    assert host.samples == args.train.batch_size == 512
    assert args.rollout.n_samples_per_prompt == 4
    assert args.actor.adam.lr == 4e-7
    assert args.algo.kl.init_coef == {"Qwen3-8B": 0.02, "gemma-2-27b": 0.08}[model]
    prompts = args.data.max_samples * args.train.num_episodes
    assert prompts / args.rollout.batch_size == 900
    assert args.data.max_samples % args.rollout.batch_size == 0


@every_model
def test_batches_spread_over_the_gpus_that_are_there(
    model: str, called: Call, start_host: StartHost
) -> None:
    host = start_host(called(model))
    assert host.gpus == GPUS[model]
    for gpus in host.groups.values():
        assert host.samples // host.args.rollout.micro_batch_size % gpus == 0
        assert host.args.train.batch_size % (host.args.train.micro_batch_size * gpus) == 0


@every_model
def test_prompt_and_judgment_fit_8192_tokens(
    model: str, called: Call, start_host: StartHost
) -> None:
    args = start_host(called(model)).args
    assert args.data.max_len == 8192
    assert args.rollout.max_new_tokens == 1024


@every_model
def test_what_is_said_to_a_script_comes_last(model: str, called: Call) -> None:
    assert called(model, "--train.seed", "7")[-2:] == ["--train.seed", "7"]
