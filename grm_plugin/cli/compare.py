"""``grm compare``: which of two judges is better on the same groups, and whether that is chance."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Exit, Option

from grm_plugin.errors import ConfigError

WORSE = 3
_NEEDED = ("numpy", "scipy")


def compare(
    first: Annotated[
        Path, Argument(metavar="A", help="A folder of `grm eval`, or a record of verdicts.")
    ],
    second: Annotated[Path, Argument(metavar="B", help="Another one, of the same groups.")],
    ties: Annotated[
        Literal["strict", "half", "random"] | None,
        Option(help="What a tie at the top counts; default: as both runs had it."),
    ] = None,
    common: Annotated[
        bool, Option("--common", help="Compare the groups that both have, and leave out others.")
    ] = False,
    json_: Annotated[
        Path | None,
        Option("--json", metavar="FILE", help="Everything as JSON, all groups that differ too."),
    ] = None,
    fail_if_worse: Annotated[
        bool, Option("--fail-if-worse", help="Exit with 3 where B is worse, beyond chance.")
    ] = False,
) -> None:
    """Compare two judges group for group: B less A, with paired 95 % intervals.

    Groups are paired by fingerprint and id. Runs that are not of the same groups, or not of the
    same labels, are refused. Of a difference the p is McNemar's exact one where each group counts
    0 or 1 and shares its source with no other, else that of resampled sources, of which it takes
    six; over subsets it is corrected (Holm), so that one chance in twenty stays one chance in
    twenty over all of them.

    Exit code: 0 compared, 3 with --fail-if-worse where the top figure of B is below that of A with
    its whole interval, 1 an error.
    """
    if missing := [name for name in _NEEDED if find_spec(name) is None]:
        raise ConfigError(f'grm compare needs {", ".join(missing)}; pip install "grm-plugin[eval]"')
    from grm_plugin.cli.compare_runs import compared

    worse = compared(first, second, ties=ties, common=common, file=json_)
    raise Exit(WORSE if worse and fail_if_worse else 0)
