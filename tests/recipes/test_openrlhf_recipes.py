"""The OpenRLHF recipes against the installed OpenRLHF's own parser, checks and requests to Ray."""

from __future__ import annotations

import argparse
import ast
import functools
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import list2cmdline
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
from ray.dashboard.modules.job.cli import submit

import grm_openrlhf.plugin
import grm_trl.plugin
from grm_openrlhf.command import split
from grm_openrlhf.host import COMMAND, Host
from grm_openrlhf.options import options_of
from grm_openrlhf.plan import Plan, make_plan
from grm_plugin import GRMConfig
from grm_plugin.config import ENV
from grm_plugin.plugins import Plugin, Plugins, installed
from grm_plugin.schedule import StepSchedule
from recipes.coscaling import openrlhf as coscaling
from recipes.coscaling import plan as study
from recipes.coscaling.plan import kept_folder
from tests.recipes.whole import whole_recipes

ROOT = Path(__file__).parents[2]
RECIPES = whole_recipes()
FOLDER = RECIPES / "Qwen3-8B/openrlhf"
SCRIPTS = sorted(path.stem for path in FOLDER.glob("*.sh") if path.stem != "common")
REFERENCE_SCRIPTS = ("reference/openrlhf/grpo", "reference/openrlhf/grpo_coscaling")
OF_THE_JUDGE = "spct/reference/grpo_openrlhf"
JUDGES = sorted(path.name for path in (RECIPES / "grm").glob("deepseek-grm-*-openrlhf.yaml"))
GPUS_OF_A_NODE = 8

every_script = pytest.mark.parametrize("script", SCRIPTS)

# Takes the place of python and of ray on PATH: writes down how it was called.
_CALLED = f"""#!{sys.executable}
import json, os, pathlib, sys
gpus = os.environ.get("CUDA_VISIBLE_DEVICES")
call = {{"program": os.path.basename(sys.argv[0]), "argv": sys.argv[1:], "gpus": gpus}}
pathlib.Path(os.environ["CALLED"]).write_text(json.dumps(call))
"""


@dataclass(frozen=True)
class Call:
    """How a script calls the launcher.

    Args:
        argv: of ``python -m grm_openrlhf.train_ppo_ray``.
        visible: GPUs that the script leaves to Ray; None: all of them.
    """

    argv: tuple[str, ...]
    visible: int | None

    @property
    def plan(self) -> Plan:
        """What the launcher makes of it."""
        ours, rest = split(self.argv)
        return make_plan(ours, rest, Host.installed(), plugins=with_adapters())


def with_adapters() -> Plugins:
    """What is installed, and the adapters of this repository even if they are not."""
    there = installed().plugins
    ours = [Plugin("openrlhf", grm_openrlhf.plugin), Plugin("trl", grm_trl.plugin)]
    known = {plugin.name for plugin in there}
    return Plugins([*there, *(plugin for plugin in ours if plugin.name not in known)])


Calls = Callable[..., Call]
StartHost = Callable[[Sequence[str]], "Started"]


@dataclass(frozen=True)
class Started:
    """A trainer that got as far as asking Ray for GPUs.

    Args:
        args: what it made of its arguments.
        groups: GPUs of each group of model actors, by the class of the actors.
        own_gpus: those that one group of actors or engines has for itself.
        shared_gpus: size of each set that several share.
    """

    args: SimpleNamespace
    groups: dict[str, int]
    own_gpus: int
    shared_gpus: tuple[int, ...]

    @property
    def gpus(self) -> int:
        """All that it asks Ray for."""
        return self.own_gpus + sum(self.shared_gpus)

    @property
    def samples(self) -> int:
        """Responses of one rollout."""
        rollout = self.args.rollout
        return int(rollout.batch_size * rollout.n_samples_per_prompt)


@pytest.fixture(scope="module")
def called(tmp_path_factory: pytest.TempPathFactory) -> Calls:
    """Runs a script up to its call of the launcher; once for the same words."""
    folder = tmp_path_factory.mktemp("called")
    programs = folder / "bin"
    programs.mkdir()
    for name in ("python", "ray"):
        (programs / name).write_text(_CALLED)
        (programs / name).chmod(0o755)
    outside = {name: value for name, value in os.environ.items() if name != ENV}
    env = outside | {
        "PATH": f"{programs}{os.pathsep}{outside['PATH']}",
        "CALLED": str(folder / "called.json"),
    }

    def run(command: str | list[str]) -> dict[str, Any]:
        shell = isinstance(command, str)
        subprocess.run(command, shell=shell, cwd=folder, env=env, check=True, timeout=60)
        found: dict[str, Any] = json.loads((folder / "called.json").read_text())
        return found

    @functools.cache
    def call(script: str, *more: str) -> Call:
        place = FOLDER if script in SCRIPTS else RECIPES
        found = run(["bash", str(place / f"{script}.sh"), *more])
        if found["program"] == "ray":
            assert found["argv"][:2] == ["job", "submit"]
            job = submit.make_context("submit", found["argv"][2:]).params
            found = run(list2cmdline(job["entrypoint"]))  # as Ray runs it
        host = "openrlhf.cli" if script == OF_THE_JUDGE else "grm_openrlhf"
        assert found["argv"][:2] == ["-m", f"{host}.train_ppo_ray"]
        visible = found["gpus"]
        return Call(tuple(found["argv"][2:]), visible and len(visible.split(",")))

    return call


@pytest.fixture
def start_host(monkeypatch: pytest.MonkeyPatch) -> StartHost:
    """Runs the main part and ``train`` of the installed trainer, with nothing behind it.

    Its parser, which takes no abbreviations here, its checks and what it does with its arguments
    are its own. Ray, vLLM, DeepSpeed and the actors are not there: only what they are asked for.
    """
    source = ast.parse((Host.installed().root / "cli/train_ppo_ray.py").read_text())
    parser = argparse.ArgumentParser
    exact = functools.partialmethod(parser.__init__, allow_abbrev=False)
    monkeypatch.setattr(parser, "__init__", exact)

    def start(argv: Sequence[str]) -> Started:
        names: dict[str, Any] = {"__name__": "__main__"}
        kept: list[ast.stmt] = []
        for node in source.body:
            if isinstance(node, ast.Import | ast.ImportFrom) and not _standard(node):
                names.update({one.asname or one.name: _stand_in(one.name) for one in node.names})
            else:
                kept.append(node)
        for trainer in ("ppo_trainer", "ppo_trainer_async"):
            module = MagicMock(spec=ModuleType, PPOTrainer=MagicMock(), PPOTrainerAsync=MagicMock())
            monkeypatch.setitem(sys.modules, f"openrlhf.trainer.{trainer}", module)
        monkeypatch.setattr(sys, "argv", [COMMAND, *argv])
        exec(compile(ast.Module(kept, []), COMMAND, "exec"), names)
        return _started(names)

    return start


def _standard(node: ast.Import | ast.ImportFrom) -> bool:
    module = node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
    return (module or "").partition(".")[0] in sys.stdlib_module_names


def _stand_in(name: str) -> MagicMock:
    return MagicMock(name=name, __name__=name)


def _started(names: dict[str, Any]) -> Started:
    groups, own = {}, 0
    shared = tuple(len(call.args[0]) for call in names["placement_group"].call_args_list)
    for call in names["RayActorGroup"].call_args_list:
        nodes, per_node, kind = call.args[:3]
        groups[kind.__name__] = nodes * per_node
        if call.kwargs["pg"] is None:
            own += nodes * per_node
    engines = names["create_vllm_engines"].call_args
    if names["placement_group"].return_value not in engines.args:
        own += engines.args[0] * engines.args[1]
    (given,) = names["get_strategy"].call_args.args
    return Started(given, groups, own, shared)


def test_there_is_a_script_for_every_way_to_train() -> None:
    assert SCRIPTS == [
        "grpo_2nodes",
        "grpo_8gpu",
        "grpo_async",
        "grpo_cascade",
        "grpo_coscaling",
        "ppo_8gpu",
        "reinforce_pp_baseline_8gpu",
        "rloo_8gpu",
    ]


@every_script
def test_the_host_takes_every_option_and_has_nothing_to_complain_about(
    script: str, called: Calls, start_host: StartHost, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start_host(called(script).plan.argv).args.actor.model_name_or_path == "Qwen/Qwen3-8B"
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("script", REFERENCE_SCRIPTS)
def test_a_reference_script_is_as_the_others_on_two_gpus(
    script: str, called: Calls, start_host: StartHost, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = called(script).plan
    host = start_host(plan.argv)
    assert capsys.readouterr().out == ""
    assert host.gpus == 2
    assert host.args.data.max_samples % host.args.rollout.batch_size == 0
    assert host.samples % host.args.train.batch_size == 0
    assert plan.settings.label == "conversation"
    assert plan.settings.judge_config().engine.name == "reference"


@pytest.mark.parametrize(
    ("arm", "settings"),
    [
        ("unwatched_k8", ["engine.model=judge"]),
        ("growing_openrlhf", ["engine.model=judge"]),
        ("scalar", ["scalar.classifier.model=rm"]),
    ],
)
def test_the_arms_of_the_coscaling_study_run_as_the_reference_script_does(
    arm: str, settings: list[str], called: Calls, start_host: StartHost, tmp_path: Path
) -> None:
    judge, rounds = str(RECIPES / f"coscaling/arms/{arm}.yaml"), 3
    told = coscaling.options(judge, tmp_path, tmp_path, seed=7, rounds=rounds, settings=settings)
    plan = called("reference/openrlhf/grpo", *told).plan
    host = start_host(plan.argv)
    assert host.args.train.seed == 7
    assert host.args.actor.adam.lr == coscaling.LEARNING_RATE
    assert host.args.data.max_samples == rounds * host.args.rollout.batch_size
    assert host.args.rollout.batch_size * 4 == host.samples == study.plan().responses
    assert host.args.train.batch_size * study.plan().updates == host.samples
    assert host.args.ckpt.output_dir == str(kept_folder(tmp_path, rounds * study.plan().updates))
    config = plan.settings.judge_config()
    part = config.scalar.classifier if arm == "scalar" else config.engine
    assert part.options["model"] == ("rm" if arm == "scalar" else "judge")


def test_the_script_that_trains_a_judge_is_taken_by_the_host_itself_on_two_gpus(
    called: Calls, start_host: StartHost, capsys: pytest.CaptureFixture[str]
) -> None:
    host = start_host(called(OF_THE_JUDGE).argv)
    assert capsys.readouterr().out == ""
    assert host.gpus == 2
    assert host.samples % host.args.train.batch_size == 0
    agent = "adapters/grm_openrlhf/outcome_agent.py"
    assert host.args.train.agent_func_path.endswith(f"/../{agent}")
    assert (ROOT / agent).is_file()
    assert (host.args.data.label_key, host.args.algo.kl.use_loss) == ("target", True)


@pytest.mark.parametrize(
    "wrong",
    [
        ("--algo.advantage.estimater", "rloo"),
        ("--train.colocate_al",),  # the host by itself would take it for --train.colocate_all
        ("--algo.advantage.estimator", "grpo"),
    ],
)
def test_a_wrong_option_in_a_script_would_be_found(
    wrong: tuple[str, ...],
    called: Calls,
    start_host: StartHost,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, rest = split(called("grpo_8gpu").argv)
    with pytest.raises(SystemExit):
        start_host([*rest, *wrong])
    assert wrong[-1] in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--ref.num_gpus_per_node", "8", "must be the same"),
        ("--vllm.num_engines", "5", "must be equal"),
        ("--rollout.micro_batch_size", "256", "number of sample batches"),
        ("--rollout.n_samples_per_prompt", "1", "requires n_samples_per_prompt > 1"),
    ],
)
def test_numbers_that_the_host_refuses_would_be_found(
    option: str, value: str, said: str, called: Calls, start_host: StartHost
) -> None:
    _, rest = split(called("grpo_8gpu").argv)
    with pytest.raises(AssertionError, match=said):
        start_host([*rest, option, value])


@every_script
def test_what_is_said_to_a_script_comes_last(script: str, called: Calls) -> None:
    assert called(script, "--train.seed", "7").argv[-2:] == ("--train.seed", "7")


@every_script
def test_batches_can_be_spread_evenly(script: str, called: Calls, start_host: StartHost) -> None:
    host = start_host(called(script).plan.argv)
    rollout, train = host.args.rollout, host.args.train
    assert host.args.data.max_samples % rollout.batch_size == 0
    assert host.samples % train.batch_size == 0
    for gpus in host.groups.values():
        # a rank without its share would leave the others waiting, since weights are split
        assert host.samples // rollout.micro_batch_size % gpus == 0
        assert train.batch_size % (train.micro_batch_size * gpus) == 0


@every_script
def test_the_gpus_of_trainer_and_judge_are_those_of_the_machine(
    script: str, called: Calls, start_host: StartHost
) -> None:
    call = called(script)
    host, servers = start_host(call.plan.argv), call.plan.servers
    judge = servers.placement.replicas * servers.placement.gpus if servers else 0
    there = host.args.actor.num_nodes * GPUS_OF_A_NODE
    assert host.gpus + judge == (call.visible or there)
    if host.shared_gpus:
        assert set(host.groups.values()) == set(host.shared_gpus)


@pytest.mark.parametrize(
    ("script", "estimator"),
    [
        ("grpo_8gpu", "group_norm"),
        ("grpo_2nodes", "group_norm"),
        ("grpo_async", "group_norm"),
        ("grpo_cascade", "group_norm"),
        ("grpo_coscaling", "group_norm"),
        ("reinforce_pp_baseline_8gpu", "reinforce_baseline"),
        ("rloo_8gpu", "rloo"),
        ("ppo_8gpu", "gae"),
    ],
)
def test_a_script_does_what_its_name_says(
    script: str, estimator: str, called: Calls, start_host: StartHost
) -> None:
    host = start_host(called(script).plan.argv)
    assert host.args.algo.advantage.estimator == estimator
    assert ("CriticModelActor" in host.groups) == (estimator == "gae")
    assert host.args.train.async_enable == (script == "grpo_async")
    assert host.args.actor.num_nodes == (2 if script == "grpo_2nodes" else 1)


@every_script
def test_the_judge_gets_the_bare_prompt_and_whole_groups(script: str, called: Calls) -> None:
    settings = called(script).plan.settings
    assert settings.label == "conversation"
    assert settings.own_label


@pytest.mark.parametrize("script", ["grpo_coscaling", "reference/openrlhf/grpo_coscaling"])
def test_every_stage_of_the_schedule_is_reached(
    script: str, called: Calls, start_host: StartHost
) -> None:
    plan = called(script).plan
    args, schedule = start_host(plan.argv).args, plan.settings.judge_config().schedule
    assert isinstance(schedule, StepSchedule)
    assert args.rollout.batch_size % args.vllm.num_engines == 0  # so an actor's steps are whole
    assert schedule.stages[-1].step < args.data.max_samples // args.rollout.batch_size


MIXES = ("scalar-k4", "cascade", "refreshed", "reliability", "watched")
OF_8B = ("skywork-8b-scalar", *(f"deepseek-grm-16b-{mix}" for mix in MIXES))
OF_THE_REFERENCE = ("reference-scalar", *(f"reference-{mix}" for mix in MIXES))


@pytest.mark.parametrize(
    ("script", "settings"),
    [
        *(("grpo_cascade", name) for name in OF_8B),
        *(("reference/openrlhf/grpo", name) for name in OF_THE_REFERENCE),
    ],
)
def test_every_mix_of_a_judge_and_a_scalar_rm_is_taken_by_the_host(
    script: str, settings: str, called: Calls, start_host: StartHost
) -> None:
    file = RECIPES / "grm" / f"{settings}.yaml"
    plan, wanted = called(script, "--grm_config", str(file)).plan, GRMConfig.load(file)
    assert plan.servers is None
    told = plan.settings.judge_config()
    assert (told.scalar, told.schedule) == (wanted.scalar, wanted.schedule)
    assert start_host(plan.argv).args.algo.advantage.estimator == "group_norm"


@pytest.mark.parametrize("mix", ["cascade", "refreshed"])
def test_a_cascade_has_the_audits_that_find_a_hacked_scalar_rm_out_in_3_steps(
    mix: str, called: Calls, start_host: StartHost
) -> None:
    """Some 25 it takes; see the guide."""
    file = RECIPES / "grm" / f"deepseek-grm-16b-{mix}.yaml"
    args = start_host(called("grpo_cascade", "--grm_config", str(file)).plan.argv).args
    scalar = GRMConfig.load(file).scalar
    assert scalar is not None
    assert scalar.audit * args.rollout.batch_size * 3 >= 25


def test_a_judge_that_runs_already_can_be_named(called: Calls) -> None:
    named = called("grpo_8gpu", "--grm_config", str(RECIPES / "grm/deepseek-grm-16b.yaml")).plan
    assert named.servers is None
    assert named.settings.judge_config().engine.options["url"] == "http://127.0.0.1:8001"


@pytest.mark.parametrize("name", [*JUDGES, "deepseek-grm-16b.yaml"])
def test_judge_settings_make_equal_quality_tie(name: str) -> None:
    assert options_of(GRMConfig.load(RECIPES / "grm" / name)).round_to == 0.02


def test_the_table_lists_every_script_and_commands_name_files_that_exist() -> None:
    text = (RECIPES / "README.md").read_text(encoding="utf-8")
    pages = [text, *(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.sh"))]
    for script in (*(f"Qwen3-8B/openrlhf/{name}" for name in SCRIPTS), *REFERENCE_SCRIPTS):
        assert f"bash recipes/{script}.sh" in text
    for name in re.findall(r"recipes/[\w./-]+\.sh", "".join(pages)):
        assert (ROOT / name).is_file()
