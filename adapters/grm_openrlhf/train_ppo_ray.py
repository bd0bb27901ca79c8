"""``python -m grm_openrlhf.train_ppo_ray``: the installed trainer with a judge as its reward.

Takes every option of ``openrlhf.cli.train_ppo_ray`` and::

    --reward_model grm_plugin    score with grm-plugin
    --grm_config FILE            YAML file of the judge
    --grm.KEY VALUE              one setting over the file's

Without ``--reward_model`` it is the host's own command.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

from grm_openrlhf import command
from grm_openrlhf.announcing import announcement
from grm_openrlhf.host import COMMAND, Host
from grm_openrlhf.judging import NO_REWARD
from grm_openrlhf.plan import Plan, make_plan
from grm_openrlhf.probing import look
from grm_openrlhf.recording import check_writable, of_engines, unnumbered
from grm_openrlhf.settings import ENV
from grm_plugin.errors import GRMError
from grm_plugin.report.run_page import write_run

_SHOWN = "RAY_DEDUP_LOGS_ALLOW_REGEX"
_JOB = "RAY_JOB_CONFIG_JSON_ENV_VAR"  # where `ray job submit` tells its driver about the job


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line ``argv`` (default: that of the process)."""
    argv = list(sys.argv[1:] if argv is None else argv)
    try:
        host = Host.installed()
        if {"-h", "--help"} & set(argv):
            return _help(host)
        ours, rest = command.split(argv)
        if ours.reward_model is None:
            return run_host(rest)
        plan = make_plan(ours, rest, host)
        check(plan)
        run(plan, host)
    except GRMError as error:
        sys.exit(f"error: {error}")


def _help(host: Host) -> None:
    parser = host.parser()
    parser.prog = "python -m grm_openrlhf.train_ppo_ray"
    command.describe(parser)
    parser.print_help()


def check(plan: Plan) -> None:
    """Say what the run is about to do, once what it needs is seen to be there.

    Raises:
        RecordError: its verdicts can not be recorded.
        RefusedError: the judge's servers refuse the key or the model.
    """
    if record := plan.judge.config.record:
        check_writable(record, plan.engines)
    sys.stderr.write(f"{announcement(plan, look(plan.judge))}\n")


def run(plan: Plan, host: Host) -> None:
    """Start or join Ray, start the judge's servers if there are any, and train.

    Raises:
        EngineError: a judge server can not be started.
        UnscoredError: too many groups had no reward.
    """
    told_one_by_one(os.environ)
    import ray

    from grm_openrlhf import servers
    from grm_openrlhf.ending import counted

    wanted = {**host.ray_environment(), ENV: plan.settings.model_dump_json(exclude_unset=True)}
    ray.init(runtime_env={"env_vars": without_jobs_own(wanted)})
    judge = plan.servers
    with (
        paged(plan.page, plan.judge.config.record, plan.engines),
        counted(plan.prompts_per_step, plan.settings.first_step, plan.unscored_limit),
        servers.running(judge.serve, judge.placement, judge.api_key_env)
        if judge
        else nullcontext(),
    ):
        run_host(plan.argv)


@contextmanager
def paged(page: Path | None, record: Path | None, engines: int) -> Iterator[None]:
    """Write the page of the run when it is over, however it ends, from what its actors recorded."""
    before = unnumbered(record) if record else set()
    try:
        yield
    finally:
        if page and record:
            others = sorted(unnumbered(record) - before)
            write_run(page, record, [*of_engines(record, engines), *others])


def told_one_by_one(environment: MutableMapping[str, str]) -> None:
    """Have Ray show every reason of a group without a reward; it reads this when it is imported.

    It counts lines of several actors as one when they differ in numbers only.
    """
    theirs = environment.get(_SHOWN)
    environment[_SHOWN] = f"(?:{theirs})|{NO_REWARD}" if theirs else NO_REWARD


def without_jobs_own(variables: Mapping[str, str]) -> dict[str, str]:
    """``variables`` but those that a submitted Ray job sets itself: Ray takes no second value."""
    job = json.loads(os.environ.get(_JOB, "{}"))
    theirs = (job.get("runtime_env") or {}).get("env_vars") or {}
    return {name: value for name, value in variables.items() if name not in theirs}


def run_host(argv: Sequence[str]) -> None:
    """Run the host's own command, with these arguments, in this process."""
    sys.argv = [COMMAND, *argv]
    runpy.run_module(COMMAND, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
