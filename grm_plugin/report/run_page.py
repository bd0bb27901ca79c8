"""The page and the picture of a run of training, written from its record when it is over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

from grm_plugin.errors import ConfigError, InputError
from grm_plugin.hosts.recorded import records_of
from grm_plugin.records import read_verdicts
from grm_plugin.report.training import Step, when_of
from grm_plugin.types import Verdict

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


def write_run(page: Path, record: Path) -> None:
    """Write the page of a run, and its picture as a PNG of the same name beside it.

    What goes wrong is told and raised nowhere: the run is over, its record is there, and the page
    can be made of it by hand.

    Args:
        page: the HTML file.
        record: the file, or what the names of the files of all processes begin with.
    """
    from grm_plugin.report.terminal import say  # rich is not for who writes no page

    try:
        _write(page, record)
    except Exception as error:  # whatever it is, it must not cost the run
        say(
            f"warning: the page {page} was not written ({type(error).__name__}: {error}); "
            f"grm show {record} --html {page} makes it of the record"
        )


def _write(page: Path, record: Path) -> None:
    from grm_plugin.report.page import write_page
    from grm_plugin.report.terminal import say
    from grm_plugin.report.training_picture import save_training

    try:
        verdicts = chain.from_iterable(map(read_verdicts, records_of(record)))
    except InputError:  # nothing was judged
        return
    steps: dict[tuple[str, int], Step] = {}
    write_page(page, _counted(verdicts, steps), title=record.name)
    say(f"page of the run: {page}")
    if steps:  # a trainer that does not tell its step has no curves
        save_training(page.with_suffix(".png"), steps)
        say(f"picture of the run: {page.with_suffix('.png')}")


def _counted(verdicts: Iterable[Verdict], steps: dict[tuple[str, int], Step]) -> Iterator[Verdict]:
    """The same verdicts, counted by step as they pass by."""
    for verdict in verdicts:
        if (when := when_of(verdict.group)) is not None:
            steps.setdefault(when, Step()).add(verdict)
        yield verdict
