"""Rejective fine-tuning: which trajectories are learned from (section 3.1 of arXiv:2504.02495)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any

from grm_plugin.spct.examples import Datum, correct, datum_of, subset_of
from grm_plugin.spct.hinting import tells_hint
from grm_plugin.types import LOST, Failure, Judgment, Sample, Verdict, digest


class Fate(StrEnum):
    """What becomes of a trajectory."""

    KEPT = "kept"
    WRONG = "wrong"  # another response has the highest score
    TIE = "tie"  # the best response shares the highest score
    UNREADABLE = "unreadable"  # for whatever reason it has no scores
    LOST = "lost"  # it never came: transport, timeout, a refusal
    TOO_EASY = "too easy"  # all plain trajectories of its datum are right
    MAY_BE_EASY = "may be too easy"  # the same of those that came, and others were lost
    TELLS_HINT = "tells the hint"  # right, and says that it was told
    PARTIAL = "partial"  # not all responses were shown
    TWICE = "there twice"  # to be kept, and the same text about the same order is kept already


@dataclass(frozen=True, slots=True)
class Trajectory:
    """A sample of a judge about a labelled group, and what becomes of it.

    Args:
        datum: the group and its label.
        sample: what the judge wrote, and in which order it was shown the responses.
        verdict: whose sample it is.
        hinted: whether the judge was told the label.
        fate: whether it is kept, and else why not.
    """

    datum: Datum
    sample: Sample
    verdict: Verdict
    hinted: bool
    fate: Fate


class TooEasy(IntEnum):
    """What the plain trajectories of a datum say of it; of several records the highest holds."""

    YES = 0  # all are right
    UNKNOWN = 1  # all that came are right, and some were lost
    NO = 2  # one is not right


class Ease:
    """Which data are too easy: all their plain trajectories are right. A few bytes a datum."""

    def __init__(self) -> None:
        self._found: dict[str, TooEasy] = {}
        self._ids: dict[str, str] = {}

    def add(self, verdict: Verdict) -> None:
        """Take in a datum's plain trajectories."""
        name = verdict.group.fingerprint
        self._found[name] = max(_easy(verdict), self._found.get(name, TooEasy.YES))
        self._ids[name] = verdict.group.id

    def of(self, fingerprint: str) -> TooEasy:
        """Whether a datum is too easy; one that was not sampled without a hint is not."""
        return self._found.get(fingerprint, TooEasy.NO)

    @property
    def unknown(self) -> int:
        """Data that may be too easy: what came is right, and some trajectories were lost."""
        return sum(easy is TooEasy.UNKNOWN for easy in self._found.values())

    def rows(self) -> Iterator[dict[str, str]]:
        """What names the data that are too easy, for RL to leave out."""
        for name, easy in self._found.items():
            if easy is TooEasy.YES:
                yield {"fingerprint": name, "id": self._ids[name]}


def _easy(verdict: Verdict) -> TooEasy:
    label = datum_of(verdict.group).label
    lost = [one.reason in LOST for one in verdict.failures]
    if not all(lost) or not all(correct(one.scores, label) for one in verdict.judgments):
        return TooEasy.NO
    return TooEasy.UNKNOWN if lost or not verdict.judgments else TooEasy.YES


class Rejection:
    """Says what becomes of trajectories, one after another.

    Args:
        ease: of all data.
    """

    def __init__(self, ease: Ease) -> None:
        self._ease = ease
        self._seen: set[int] = set()

    def of(self, verdict: Verdict, *, hinted: bool) -> Iterator[Trajectory]:
        """The trajectories of a verdict.

        Raises:
            InputError: its group has no label.
        """
        datum = datum_of(verdict.group)
        samples: list[Sample] = [*verdict.judgments, *verdict.failures]
        for sample in samples:
            fate = self._fate(datum, sample, hinted=hinted)
            yield Trajectory(datum, sample, verdict, hinted, fate)

    def _fate(self, datum: Datum, sample: Sample, *, hinted: bool) -> Fate:
        if isinstance(sample, Failure):
            return Fate.LOST if sample.reason in LOST else Fate.UNREADABLE
        if len(sample.order) < len(set(datum.group.responses)):
            return Fate.PARTIAL
        if not correct(sample.scores, datum.label):
            return Fate.TIE if _ties(sample, datum.label) else Fate.WRONG
        easy = self._ease.of(datum.group.fingerprint)
        if easy is not TooEasy.NO:
            return Fate.TOO_EASY if easy is TooEasy.YES else Fate.MAY_BE_EASY
        if hinted and tells_hint(sample.text, evidence=any(datum.group.evidence)):
            return Fate.TELLS_HINT
        return Fate.KEPT if self._is_new(datum, sample) else Fate.TWICE

    def _is_new(self, datum: Datum, judgment: Judgment) -> bool:
        name = f"{datum.group.fingerprint} {judgment.order} {judgment.text}"
        known = int(digest(name.encode(errors="replace").decode())[:16], 16)
        is_new = known not in self._seen
        self._seen.add(known)
        return is_new


def _ties(judgment: Judgment, label: int) -> bool:
    known = [score for score in judgment.scores if score is not None]
    return len(known) > 1 and judgment.scores[label] == max(known)


@dataclass
class Table:
    """Counts of fates, by subset and by whether the judge was told the label.

    Args:
        counts: of fates.
        failures: why there are no scores, of those that are unreadable.
    """

    counts: dict[tuple[str, bool], Counter[Fate]] = field(default_factory=dict)
    failures: dict[tuple[str, bool], Counter[str]] = field(default_factory=dict)

    def add(self, one: Trajectory) -> None:
        """Count one trajectory."""
        name = subset_of(one.datum.group), one.hinted
        self.counts.setdefault(name, Counter())[one.fate] += 1
        if one.fate is Fate.UNREADABLE and isinstance(one.sample, Failure):
            self.failures.setdefault(name, Counter())[one.sample.reason] += 1

    @property
    def total(self) -> Counter[Fate]:
        """Of all together."""
        return sum(self.counts.values(), Counter())

    @property
    def why_unreadable(self) -> Counter[str]:
        """Of all together, why those that are unreadable have no scores."""
        return sum(self.failures.values(), Counter())

    def as_json(self) -> list[dict[str, Any]]:
        """A line for each subset and source, with the number of each fate that is there."""
        return [
            {
                "subset": name[0],
                "source": "hinted" if name[1] else "plain",
                "trajectories": counts.total(),
                **{fate.value: counts[fate] for fate in Fate if counts[fate]},
                **({"why unreadable": dict(self.failures[name])} if name in self.failures else {}),
            }
            for name, counts in sorted(self.counts.items())
        ]


def row_of(one: Trajectory, prompt: Iterable[Any]) -> dict[str, Any]:
    """A kept trajectory as TRL's SFTTrainer takes it: a conversational prompt and its completion.

    Args:
        one: the trajectory.
        prompt: the messages that asked for it, without the hint.
    """
    group = one.datum.group
    return {
        "prompt": [{"role": turn.role, "content": turn.content} for turn in prompt],
        "completion": [{"role": "assistant", "content": one.sample.text}],
        "id": group.id,
        "fingerprint": group.fingerprint,
        "subset": subset_of(group),
        "hinted": one.hinted,
        "order": list(one.sample.order),
    }
