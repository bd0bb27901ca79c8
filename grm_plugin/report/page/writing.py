"""One pass over verdicts: lines of the table and details are written while they pass by."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from markupsafe import Markup

from grm_plugin.errors import ConfigError
from grm_plugin.hosts.rounding import as_trained
from grm_plugin.report.page.charts import charts_of
from grm_plugin.report.page.details import MOST_SAID, details_of
from grm_plugin.report.page.embedding import as_data
from grm_plugin.report.page.links import to
from grm_plugin.report.page.rendering import render
from grm_plugin.report.page.rows import Row, row_of
from grm_plugin.report.page.sections import section
from grm_plugin.report.page.storing import Details
from grm_plugin.report.page.summary import OTHER, Summary
from grm_plugin.running.whole_file import replacing
from grm_plugin.types import Verdict


def write_page(
    path: Path,
    verdicts: Iterable[Verdict],
    *,
    title: str,
    measured: Any = None,
    health: Any = None,
    criteria: Any = None,
) -> None:
    """Write verdicts as one HTML page that needs no network.

    What takes most room, the details of each verdict, goes to files beside the page when there are
    more than a few hundred; both are there when the page is whole, and not before.

    Args:
        path: the page, say ``report.html``; its folder is made.
        verdicts: read once, one at a time.
        title: heading of the page.
        measured, health, criteria: JSON values to show as tables; figures are objects with
            ``name``, ``value``, ``low``, ``high``, ``n`` and ``parts``. A function of nothing is
            called when all verdicts were read.

    Raises:
        ConfigError: it can not be written.
        RecordError: ``verdicts`` raised it; an earlier page is as it was.
    """
    details = Details(path)
    told = {"title": title, "measured": measured, "health": health, "criteria": criteria}
    try:
        with replacing(path, shared=True) as beside:
            with tempfile.TemporaryFile("w+", encoding="ascii") as rows:
                summary = _take(verdicts, rows, details)
                with beside.open("w", encoding="utf-8", errors="replace") as page:
                    page.writelines(render(_values(summary, rows, details, told)))
            details.publish()
        details.forget_earlier()
    except OSError as error:
        raise ConfigError(f"{path} can not be written: {error.strerror or error}") from error
    finally:
        details.discard()


def _take(verdicts: Iterable[Verdict], rows: IO[str], details: Details) -> Summary:
    summary = Summary()
    for verdict in map(as_trained, verdicts):
        row = row_of(verdict)
        summary.add(verdict, row)
        rows.write(as_data(row) + "\n")
        details.add(details_of(verdict))
    details.finish()
    return summary


def _values(
    summary: Summary, rows: IO[str], details: Details, told: Mapping[str, Any]
) -> dict[str, Any]:
    links = {name: to(subset=name) for name in summary.subsets if name != OTHER}
    parts = [section(name, _now(told[name]), links) for name in ("measured", "health", "criteria")]
    return {
        "title": told["title"],
        "written": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "tally": summary.tally,
        "summary": summary,
        "charts": list(charts_of(summary, with_places=not told["health"])),
        "sections": [one for one in parts if one],
        "to": to,
        "about": {
            "fields": Row._fields,
            "starts": details.starts,
            "folder": details.folder.name,
            "start": details.start,
            "said": MOST_SAID,
        },
        "rows": _lines(rows),
        "details": _separated(details.inline),
    }


def _now(told: Any) -> Any:
    return told() if callable(told) else told


def _lines(rows: IO[str]) -> Iterator[Markup]:
    rows.seek(0)
    return _separated(line.rstrip("\n") for line in rows)


def _separated(texts: Iterable[str]) -> Iterator[Markup]:
    """JSON texts as the inside of a list, one at a time; they are escaped for HTML."""
    for number, text in enumerate(texts):
        yield Markup(f"{',' if number else ''}\n{text}")  # noqa: S704 - by as_data
