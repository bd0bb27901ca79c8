"""``grm doctor``: looks at everything a run needs, in the order in which it would fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rich.table import Table
from rich.text import Text
from typer import Exit

from grm_plugin.cli.checks import JudgeChecks
from grm_plugin.cli.environment import Check, extras, gpu, plugins_load, python
from grm_plugin.cli.judge import JudgeSettings, takes_judge
from grm_plugin.errors import GRMError
from grm_plugin.report.terminal import out, printable

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "bold red"}


@takes_judge
def doctor(settings: JudgeSettings) -> None:
    """Look at everything a run needs, and say how to repair what is missing.

    Takes the options of `grm score`, starts the judge they name and asks it about a good and a bad
    response, once in each order: whether it can be read, whether the good one wins, and what that
    costs in time, tokens and money. What a server refuses is told in its own words. A judge that
    is away is not waited for. Exit code 1 when something fails.
    """
    failed = 0
    with JudgeChecks(settings) as judge:
        for name, check in _run(_steps(judge), judge.fix):
            failed += check.status == "fail"
            out.print(_line(name, check))
    out.print(f"{failed} failed; repair it and run grm doctor again" if failed else "all is well")
    raise Exit(1 if failed else 0)


def _steps(judge: JudgeChecks) -> dict[str, Callable[[], Check]]:
    return {
        "python": python,
        "extras": extras,
        "gpu": gpu,
        "plug-ins": plugins_load,
        "config": judge.settings_load,
        "record": judge.record_writable,
        "parts": judge.parts_fit,
        "sampling": judge.sampling_is_ours,
        "engine": judge.engine_starts,
        "context": judge.context_suffices,
        "sample": judge.sample_is_read,
        "order": judge.order_is_right,
        "meta RM": judge.meta_rm_rates,
        "scalar": judge.scalar_rm_rates,
    }


def _run(
    steps: dict[str, Callable[[], Check]], fix: Callable[[str, GRMError], str]
) -> Iterator[tuple[str, Check]]:
    """Each step's outcome; the first one that can not be taken ends them."""
    for name, step in steps.items():
        try:
            yield name, step()
        except GRMError as error:
            yield name, Check("fail", str(error), fix(name, error))
            return


def _line(name: str, check: Check) -> Table:
    line = Table.grid(padding=(0, 2, 0, 0))
    line.add_column(width=4)
    line.add_column(width=8)
    line.add_column(overflow="fold")
    detail = Text(printable(check.detail))
    if check.fix:
        detail.append(f"\nfix: {printable(check.fix)}", "bold")
    line.add_row(Text(check.status, _COLOURS[check.status]), name, detail)
    return line
