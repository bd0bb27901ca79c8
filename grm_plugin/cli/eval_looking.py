"""What ``grm eval`` tells of a judge besides how good it is: its health, its criteria, a page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from grm_plugin.cli.page import can_write_html, write_html
from grm_plugin.evaluation.health import Health, HealthSums
from grm_plugin.evaluation.runs import PAGE
from grm_plugin.report.criteria import Criteria
from grm_plugin.report.terminal import say
from grm_plugin.types import Verdict

_MOST = 6


class Watched:
    """Verdicts that are counted on their way to be measured."""

    def __init__(self) -> None:
        self._health, self._criteria = HealthSums(), Criteria()

    def through(self, verdicts: Iterable[Verdict]) -> Iterator[Verdict]:
        """They, as they come."""
        for verdict in verdicts:
            self._health.add(verdict)
            self._criteria.add(verdict)
            yield verdict

    @property
    def health(self) -> Health:
        """What they say of the judge."""
        return self._health.health()

    def told(self) -> dict[str, Any]:
        """Health and criteria as ``eval.json`` and the page have them."""
        return {"health": self.health.as_json(), "criteria": self._criteria.told()}


def health_told(health: Health) -> str:
    """The numbers of a judge's health that chance alone does not explain, in a few lines."""
    off = [one for one in health if one.off_neutral]
    if not off:
        return "health: no bias beyond chance in what these verdicts tell; all numbers: eval.json"
    lines = [f"  {one.meaning.title}: {one.text}" for one in off[:_MOST]]
    more = f"\n  and {len(off) - _MOST} more in eval.json" if len(off) > _MOST else ""
    return "health, beyond chance:\n" + "\n".join(lines) + more


def write_page(folder: Path, verdicts: Iterable[Verdict], found: Mapping[str, Any]) -> None:
    """Write ``folder/index.html``; without the library for it, say how to get one.

    Raises:
        ConfigError: it can not be written.
    """
    if not can_write_html():
        say('no page: it needs jinja2; pip install "grm-plugin[eval]"')
        return
    title = f"{found['benchmark']['name']}: {found['judge'].get('model') or 'judge'}"
    measured = {name: found[name] for name in ("figures", "curve")}
    told = {name: found[name] for name in ("health", "criteria")}
    write_html(folder / PAGE, verdicts, title=title, measured=measured, **told)
