"""Passages of critiques that show what a criterion comes to: the worst, the best, and errors."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from grm_plugin.hosts.telling import said_of
from grm_plugin.report.criteria.spelling import words
from grm_plugin.types import Judgment, Verdict
from grm_plugin.types.training import STEP

MOST = 3
_LINES = 3
_LONGEST = 400

Ends = tuple[tuple[float, int], tuple[float, int]]


@dataclass(frozen=True, slots=True)
class Example:
    """What one judgment says of one response; it is read when it is told, as most never are.

    Args:
        group: its id, or the start of its fingerprint.
        fingerprint: of the group.
        step: of the training run; None outside of one.
        response: its number in the group, from 1 on.
        reward: 0..1; None of a response without one.
        judgment: that says it.
        stems: the words of the criterion.
    """

    group: str
    fingerprint: str
    step: int | None
    response: int
    reward: float | None
    judgment: Judgment
    stems: Collection[str]

    def told(self) -> dict[str, Any]:
        """As JSON values, with the passage: its lines that name the criterion, or its first."""
        return {
            "group": self.group,
            "fingerprint": self.fingerprint,
            "step": self.step,
            "response": self.response,
            "reward": self.reward,
            "sample": self.judgment.sample,
            "text": _about(said_of(self.judgment, self.response - 1), self.stems),
        }


@dataclass
class Examples:
    """The responses with the lowest and highest rewards, and judgments that are wrong."""

    lowest: list[Example] = field(default_factory=list)
    highest: list[Example] = field(default_factory=list)
    wrong: list[Example] = field(default_factory=list)

    def told(self) -> dict[str, list[dict[str, Any]]]:
        """All of them, as JSON values."""
        kinds = {"lowest": self.lowest, "highest": self.highest, "wrong": self.wrong}
        return {kind: [one.told() for one in kept] for kind, kept in kinds.items()}

    def add(
        self, verdict: Verdict, ends: Ends | None, judgment: Judgment, stems: Collection[str]
    ) -> None:
        """Take the worst and the best response of a verdict where they are worse or better.

        Args:
            verdict: with rewards or without.
            ends: :func:`ends_of` it.
            judgment: one that lists the criterion.
            stems: the words of the criterion.
        """
        if ends is None:
            return
        for kept, sign, (reward, n) in ((self.lowest, 1, ends[0]), (self.highest, -1, ends[1])):
            if len(kept) < MOST or sign * reward < sign * (kept[-1].reward or 0.0):
                kept.append(example(verdict, judgment, n, stems))
                kept.sort(key=_rewarded, reverse=sign < 0)
                del kept[MOST:]

    def add_wrong(self, verdict: Verdict, judgment: Judgment, stems: Collection[str]) -> None:
        """Take a judgment that puts a wrong response first; the first few are kept."""
        if len(self.wrong) < MOST:
            scores = [-1e308 if score is None else score for score in judgment.scores]
            self.wrong.append(example(verdict, judgment, scores.index(max(scores)), stems))


def ends_of(verdict: Verdict) -> Ends | None:
    """The lowest and the highest reward, each with its response; None of a verdict without any."""
    rewards = [(one, n) for n, one in enumerate(verdict.rewards or ()) if one is not None]
    return (min(rewards), max(rewards)) if rewards else None


def example(verdict: Verdict, judgment: Judgment, n: int, stems: Collection[str]) -> Example:
    """What ``judgment`` says of response ``n``, by the criterion of these words if it does."""
    step = verdict.group.metadata.get(STEP)
    return Example(
        verdict.group.id or verdict.group.fingerprint[:8],
        verdict.group.fingerprint,
        step if isinstance(step, int) else None,
        n + 1,
        verdict.rewards[n] if verdict.rewards else None,
        judgment,
        stems,
    )


def _rewarded(one: Example) -> float:
    return one.reward or 0.0


def _about(lines: Sequence[str], stems: Collection[str]) -> str:
    naming = [line for line in lines if any(word.stem in stems for word in words(line[:_LONGEST]))]
    text = " ".join((naming or lines)[:_LINES])
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
