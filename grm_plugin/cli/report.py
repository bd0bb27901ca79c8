"""``grm report``: what a judge goes by, where that misleads it, and how the judged do by it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, BadParameter, Option

from grm_plugin.cli.page import Html, write_html
from grm_plugin.cli.recorded_verdicts import HELP, STDIN, phase_of, some, told, verdicts_in
from grm_plugin.errors import ConfigError, InputError
from grm_plugin.hosts.counting import Tally
from grm_plugin.report.tally import counts
from grm_plugin.report.terminal import out, printable, say
from grm_plugin.running.whole_file import as_json, writing
from grm_plugin.types import Verdict

if TYPE_CHECKING:
    from grm_plugin.evaluation.health import Health

_NEEDED = ("numpy", "scipy")
_NAME = "grm report"


def report(
    records: Annotated[list[Path], Argument(metavar="OUT...", help=HELP)],
    by: Annotated[
        str | None,
        Option(
            metavar="NAME",
            help="Tell the values of a column beside each other, such as subset or model; of a "
            "training run it is the step.",
        ),
    ] = None,
    top: Annotated[int, Option(min=1, help="So many criteria, the most listed first.")] = 12,
    examples: Annotated[
        int, Option(min=0, help="So many criteria at either end with passages of critiques.")
    ] = 2,
    step: Annotated[
        int | None, Option(min=0, help="Only verdicts of this step of a training run.")
    ] = None,
    train: Annotated[bool, Option("--train", help="Only verdicts that were trained on.")] = False,
    eval_: Annotated[bool, Option("--eval", help="Only verdicts of evaluations.")] = False,
    health: Annotated[
        bool, Option("--health", help="Tell biases, agreement and reliability of the judge, too.")
    ] = False,
    html: Html = None,
    json_: Annotated[
        Path | None, Option("--json", metavar="FILE", help="Write all figures as JSON.")
    ] = None,
) -> None:
    """Report what a record of verdicts says of its judge, and of what it judged.

    Judges write principles before they score. Spellings of one principle are one criterion here.
    Of each you see how often it is listed and with what weight; how the same responses score when
    it is listed and when it is not, which are the strengths and weaknesses of who wrote them;
    where the groups' metadata says which response is best, how often judgments that list it are
    wrong; of a training run, how rewards changed from its first steps to its last; and passages.
    """
    if missing := [name for name in _NEEDED if find_spec(name) is None]:
        raise ConfigError(f'{_NAME} needs {", ".join(missing)}; pip install "grm-plugin[eval]"')
    if STDIN in records and len(records) > 1:
        raise BadParameter("- is standard input, and stands alone")
    phase = phase_of(train=train, evaluation=eval_)
    chosen = some(verdicts_in(records, step, phase))
    if chosen is None:
        raise InputError(f"{', '.join(map(str, records))}: no verdict{told(step, phase)}")
    counted = Counted(by, health=health)
    passing = counted.passing(chosen)
    if html is not None:
        title = ", ".join(one.name or str(one) for one in records)
        write_html(
            html,
            passing,
            title=title,
            criteria=counted.criteria_tables,
            health=counted.health_figures,
        )
    else:
        for _ in passing:
            pass
    _print(counted, top=top, examples=examples)
    if json_ is not None:
        with writing(json_) as file:
            file.write(as_json(counted.figures(), indent=1) + "\n")
        say(f"figures: {json_}")


class Counted:
    """What one pass over verdicts counts.

    Args:
        by: a column whose values are told beside each other; None: the step of a training run.
        health: whether the judge's health is told, too.
    """

    def __init__(self, by: str | None = None, *, health: bool = False) -> None:
        from grm_plugin.evaluation.health import HealthSums
        from grm_plugin.report.criteria import Criteria

        self.tally = Tally()
        self._criteria = Criteria(by)
        self._health = HealthSums() if health else None
        self._found: dict[str, Any] | None = None

    def passing(self, verdicts: Iterable[Verdict]) -> Iterator[Verdict]:
        """The same verdicts, counted as they come by."""
        for verdict in verdicts:
            self.tally.add(verdict)
            self._criteria.add(verdict)
            if self._health:
                self._health.add(verdict)
            yield verdict

    def criteria(self) -> dict[str, Any]:
        """The criteria of all verdicts that came by."""
        self._found = self._found or self._criteria.told()
        return self._found

    def criteria_tables(self) -> dict[str, Any]:
        """The same for a page."""
        from grm_plugin.report.criteria import for_page

        return for_page(self.criteria())

    def health(self) -> Health | None:
        """The health of their judge, if it is asked for."""
        return self._health.health() if self._health else None

    def health_figures(self) -> dict[str, Any] | None:
        """The same as JSON values."""
        health = self.health()
        return health.as_json() if health else None

    def figures(self) -> dict[str, Any]:
        """All of it as JSON values."""
        health = self.health_figures()
        return {**self.criteria(), **({"health": health} if health else {})}


def _print(counted: Counted, *, top: int, examples: int) -> None:
    from grm_plugin.cli.report_tables import parts
    from grm_plugin.report.health import explained, health_table

    out.print(counts(counted.tally), "")
    if health := counted.health():
        out.print(health_table(health), *map(printable, explained(health)), "", sep="\n")
    for part in parts(counted.criteria(), top=top, examples=examples):
        out.print(part, "")
