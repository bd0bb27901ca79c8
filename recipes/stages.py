"""Commands that read what others made, each run once: a chain that was killed goes on."""

from __future__ import annotations

import asyncio
import os
import shlex
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from grm_plugin.errors import ConfigError, quoted
from grm_plugin.remote.launching.process import GuardedProcess, program
from grm_plugin.report.terminal import say
from recipes.journal import Journal

_GRACE_S = 60.0


@dataclass(frozen=True)
class Stage:
    """One command.

    Args:
        name: what messages and the journal call it.
        command: the program and its arguments; run again after a kill, it goes on.
        makes: the file or folder that is there when it is done.
        uses: what it reads beside the paths that its command names.
        anew: it is run every time, as it tells of whatever is there.
    """

    name: str
    command: tuple[str, ...]
    makes: Path
    uses: tuple[Path, ...] = ()
    anew: bool = False

    def reads(self, other: Stage) -> bool:
        """Whether it reads what ``other`` makes, or something in it."""
        named = [*self.uses, *(Path(text.rpartition("=")[2]) for text in self.command)]
        return other != self and any(
            path == other.makes or other.makes in path.parents for path in named
        )


async def run(stages: Sequence[Stage], journal: Journal, *, jobs: int = 1) -> int:
    """Run the ``stages`` that are not done.

    A stage waits for the earlier ones that it reads. Where one fails, what reads its output is left
    out, and everything else is run.

    Args:
        stages: in the order in which they are started.
        journal: says what is done, and is told.
        jobs: how many run at once. The output of each goes to a log of its own, beside the journal,
            where there is more than one.

    Returns:
        0, or the exit code of the first that failed.

    Raises:
        ConfigError: the output of a stage was made by another command, or of what was made anew
            since, or another process runs stages by this journal; nothing was run.
    """
    with journal.alone():
        failed = await _run_all(to_do(stages, journal), journal, jobs)
    if not failed:
        minutes = sum(journal.seconds(stage.name) for stage in stages) / 60
        say(f"{len(stages)} stages are done; they took {minutes:.0f} minutes")
    return failed


async def _run_all(left: list[Stage], journal: Journal, jobs: int) -> int:
    running: dict[asyncio.Task[int], Stage] = {}
    failed: list[Stage] = []
    code = 0
    while True:
        for stage in _ready(left, [*running.values(), *failed])[: jobs - len(running)]:
            left.remove(stage)
            running[asyncio.create_task(_run(stage, journal, own_log=jobs > 1))] = stage
        if not running:
            break
        ended, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            stage = running.pop(task)
            if task.result():
                failed.append(stage)
            code = code or task.result()
    for stage in left:
        say(f"{stage.name}: left out, for it reads what is not done")
    return code


def to_do(stages: Sequence[Stage], journal: Journal) -> list[Stage]:
    """The stages that are not done, in order.

    Raises:
        ConfigError: as :func:`run` says.
    """
    left: list[Stage] = []
    for place, stage in enumerate(stages):
        if not _is_done(stage, journal):
            left.append(stage)
            continue
        for other in filter(stage.reads, stages[:place]):
            if other in left or journal.finished(other.name) > journal.finished(stage.name):
                raise ConfigError(_stale(stage, other))
        say(f"{stage.name}: done in {journal.seconds(stage.name):.0f} s")
    return left


def _is_done(stage: Stage, journal: Journal) -> bool:
    before = journal.command(stage.name)
    if stage.anew or before is None or not stage.makes.exists():
        return False
    if before != list(stage.command):
        raise ConfigError(_changed(stage, before))
    return journal.finished(stage.name) > 0


def _ready(left: Sequence[Stage], running: Iterable[Stage]) -> list[Stage]:
    waiting = [*running, *left]
    return [stage for stage in left if not any(stage.reads(other) for other in waiting)]


async def _run(stage: Stage, journal: Journal, *, own_log: bool) -> int:
    command = program(stage.command)
    if command is None:
        raise ConfigError(f"{stage.name}: no command {quoted(stage.command[0])} on this machine")
    log = journal.path.with_name(f"{stage.name.replace(' ', '-')}.log") if own_log else None
    say(f"{stage.name}: {shlex.join(stage.command)}{f' > {log}' if log else ''}")
    journal.begin(stage.name, stage.command)
    started = time.monotonic()
    code = 1
    try:
        code = await _finished(command, log)
    finally:
        journal.end(stage.name, time.monotonic() - started, done=code == 0)
    if code:
        say(f"{stage.name}: ended with code {code}; the same command goes on there")
    return code


async def _finished(command: Sequence[str], log: Path | None) -> int:
    process = GuardedProcess(command, os.environ, log, grace_s=_GRACE_S)
    try:
        return await process.wait()
    finally:
        await process.close()


def _changed(stage: Stage, before: Sequence[str]) -> str:
    then, now = (quoted(shlex.join(command)) for command in (before, stage.command))
    return (
        f"{stage.name}: {quoted(str(stage.makes))} was begun by {then}, and now the command is "
        f"{now}; delete it, or choose another --out"
    )


def _stale(stage: Stage, other: Stage) -> str:
    return (
        f"{stage.name}: {quoted(str(stage.makes))} was made of what {other.name} made before, and "
        "that is gone or new; delete it to make it anew"
    )
