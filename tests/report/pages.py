"""Verdicts for pages, and what a page holds."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from grm_plugin.types import Cost, Failure, Group, Judgment, Principle, Reason, Verdict

CRITIQUE = """Analysis:
Response 1: {0} points, says the judge.
Response 2: {1} points.
Scores: \\boxed{{{0}, {1}}}"""


def verdict(number: int, *, text: str = "", **metadata: Any) -> Verdict:
    """Two responses, of which the first gets ``number % 10`` tenths and the second 0.5.

    Two samples judged, in both orders; a third one is dropped in every fifth verdict. ``text`` is
    added to all texts.
    """
    first = number % 10
    group = Group.of(
        f"question {number}{text}",
        [f"answer one of {number}{text}", f"answer two of {number}{text}"],
        id=f"group-{number}",
        metadata=metadata,
    )
    judgments = (_judgment(0, (0, 1), first, text), _judgment(1, (1, 0), first, text))
    lost = (Failure(2, (0, 1), 2, Reason.TRUNCATED, f"cut at max_tokens{text}", f"and so{text}"),)
    return Verdict(
        group,
        (first / 10, 0.5),
        judgments,
        lost if number % 5 == 0 else (),
        cost=Cost(100, 50, 1.5),
        origin={"engine": "scripted", "k": 3},
    )


def _judgment(sample: int, order: tuple[int, int], first: int, text: str) -> Judgment:
    scores = (float(first), 5.0)
    shown = CRITIQUE.format(*(int(scores[n]) for n in order))
    return Judgment(
        sample, order, sample, f"{shown}{text}", scores, principles=(Principle(f"exact{text}", 70),)
    )


def unscored(number: int, why: str = "0 of 1 samples are valid") -> Verdict:
    """A group without rewards: its only sample took too long."""
    failure = Failure(0, (0, 1), 0, Reason.TIMEOUT, "no answer within 3 s")
    group = Group.of(f"question {number}", ["one", "two"], id=f"group-{number}")
    return Verdict(group, None, failures=(failure,), unscored=why)


class _Scripts(HTMLParser):
    """The elements of a page: names with how often, attributes, and the texts of scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: dict[str, str] = {}
        self._open: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self._open = dict(attrs).get("id") or "code"

    def handle_data(self, data: str) -> None:
        if self._open:
            self.scripts[self._open] = self.scripts.get(self._open, "") + data

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._open = None


def parsed(page: Path) -> _Scripts:
    """What a parser of HTML finds in a page."""
    parser = _Scripts()
    parser.feed(page.read_text(encoding="utf-8"))
    parser.close()
    return parser


def rows_in(page: Path) -> list[dict[str, Any]]:
    """The lines of its table."""
    scripts = parsed(page).scripts
    fields = json.loads(scripts["about"])["fields"]
    return [dict(zip(fields, row, strict=True)) for row in json.loads(scripts["rows"])]


def details_in(page: Path) -> list[dict[str, Any]]:
    """All details, of the page itself and of the files beside it, in order."""
    scripts = parsed(page).scripts
    found: list[dict[str, Any]] = json.loads(scripts["details"])
    about = json.loads(scripts["about"])
    for file in sorted(page.with_name(about["folder"]).glob(f"{about['start']}*.js")):
        call = file.read_text(encoding="ascii")
        found += json.loads(call[call.index(",") + 1 : call.rindex(")")])
    return found
