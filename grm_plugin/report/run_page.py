"""The page and the picture of a run of training, written from its record when it is over."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

from grm_plugin.errors import ConfigError
from grm_plugin.records import read_verdicts
from grm_plugin.report.training import Step, Steps
from grm_plugin.types import Verdict
from grm_plugin.types.training import when_of

_NEEDED = ("jinja2", "matplotlib")


def check_page(owner: str, page: Path | None, record: Path | None) -> None:
    """Refuse a page that could not be written at the end, before the run begins.

    Args:
        owner: whose option it is, say ``adapter 'trl'``.
        page: where it shall be written; None: nowhere.
        record: what it shall be written from.

    Raises:
        ConfigError: there is no record, or a library is missing.
    """
    if page is None:
        return
    if record is None:
        raise ConfigError(
            f"{owner}: page: expected a record to write it from, got none; set record, say "
            "record: verdicts.jsonl"
        )
    if missing := [name for name in _NEEDED if find_spec(name) is None]:
        raise ConfigError(
            f'{owner}: page: needs {" and ".join(missing)}; pip install "grm-plugin[eval]"'
        )


def write_run(page: Path, record: Path, files: Sequence[Path]) -> None:
    """Write the page of a run, and its picture as a PNG of the same name beside it.

    What goes wrong is told and raised nowhere: the run is over, its record is there, and the page
    can be made of it by hand.

    Args:
        page: the HTML file.
        record: as the settings name it.
        files: of it, one for each process of this run, whether it is there or not; those of other
            runs beside them are not read.
    """
    from grm_plugin.report.terminal import say  # rich is not for who writes no page

    there = [file for file in files if file.is_file()]
    if not there:
        say(f"warning: the page {page} was not written: no verdicts in {record} on this machine")
        return
    if missing := [file.name for file in files if file not in there]:
        say(f"warning: the page {page} is without {', '.join(missing)}: not on this machine")
    try:
        steps = _write(page, record, there)
    except Exception as error:  # whatever it is, it must not cost the run
        command = shlex.join(["grm", "show", *map(str, there), "--html", str(page)])
        say(f"warning: the page {page} was not written ({_told(error)}); {command} makes it")
        return
    say(f"page of the run: {page}")
    _draw(page.with_suffix(".png"), steps)


def _write(page: Path, record: Path, files: Sequence[Path]) -> Steps:
    from grm_plugin.report.page import write_page

    steps: dict[tuple[str, int], Step] = {}
    verdicts = chain.from_iterable(map(read_verdicts, files))
    write_page(page, _counted(verdicts, steps), title=record.name)
    return steps


def _draw(picture: Path, steps: Steps) -> None:
    """A trainer that does not tell its step has no curves."""
    from grm_plugin.report.terminal import say

    if not steps:
        return
    try:
        from grm_plugin.report.training_picture import save_training

        save_training(picture, steps)
    except Exception as error:  # whatever it is, it must not cost the run
        say(f"warning: the picture {picture} was not drawn ({_told(error)})")
    else:
        say(f"picture of the run: {picture}")


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _counted(verdicts: Iterable[Verdict], steps: dict[tuple[str, int], Step]) -> Iterator[Verdict]:
    """The same verdicts, counted by step as they pass by."""
    for verdict in verdicts:
        if (when := when_of(verdict.group)) is not None:
            steps.setdefault(when, Step()).add(verdict)
        yield verdict
