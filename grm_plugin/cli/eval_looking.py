"""What ``grm eval`` tells of a judge besides how good it is: its health, its criteria, a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path, PurePath
from typing import Any

from grm_plugin.cli.page import can_write_html, write_html
from grm_plugin.cli.report import Counted
from grm_plugin.evaluation.runs import PAGE
from grm_plugin.hosts.rounding import as_judged
from grm_plugin.report.judges import named
from grm_plugin.report.tally import by_reason
from grm_plugin.report.terminal import say
from grm_plugin.types import Verdict

_MOST = 6


def health_told(counted: Counted) -> str:
    """The numbers of a judge's health that chance alone does not explain, in a few lines."""
    off = [one for one in counted.health() or () if one.off_neutral]
    if not off and not counted.tally.valid:
        return "health: no judgment could be read, so nothing is known of it"
    if not off:
        return "health: no bias beyond chance in what these verdicts tell"
    lines = [f"  {one.meaning.title}: {one.text}" for one in off[:_MOST]]
    more = [f"  and {len(off) - _MOST} more"] if len(off) > _MOST else []
    return "\n".join(["health, beyond chance:", *lines, *more])


def unscored_told(counted: Counted, verdicts: Iterable[Verdict]) -> str:
    """How many of ``verdicts`` have no reward, and why the first has none; empty for none."""
    missing = counted.tally.unscored
    if not missing.total():
        return ""
    first = next(one for one in verdicts if not one.known_rewards)
    nothing = "" if counted.tally.scored else "nothing was scored; the figures say nothing\n"
    of = f"{missing.total():,} of {counted.tally.groups:,} groups ({by_reason(missing)})"
    return f"{nothing}unscored: {of}, such as {first.group.label}: {first.unscored}"


def write_page(
    folder: Path, verdicts: Iterable[Verdict], found: Mapping[str, Any], counted: Counted
) -> None:
    """Write ``folder/index.html``; without the library for it, say how to get one.

    Args:
        folder: of the run.
        verdicts: of the run.
        found: what was measured.
        counted: what the same verdicts say of their judge.

    Raises:
        ConfigError: it can not be written.
    """
    if not can_write_html():
        say('no page: it needs jinja2; pip install "grm-plugin[eval]"')
        return
    besides = ("health", "criteria", "versions")
    write_html(
        folder / PAGE,
        map(as_judged, verdicts),  # what was measured is the judge
        title=_title(found),
        measured={name: value for name, value in found.items() if name not in besides},
        health=found["health"],
        criteria=counted.criteria_tables,
    )


def _title(found: Mapping[str, Any]) -> str:
    judge = named(found["judge"])
    names = str(judge.get("engine") or ""), PurePath(judge.get("model") or "").name
    return f"{found['benchmark']['name']}, judged by {' '.join(_apart(names)) or 'a judge'}"


def _apart(names: Iterable[str]) -> list[str]:
    """Those that there are, each once."""
    return [name for name in dict.fromkeys(names) if name]
