"""A run of training over its steps, from its record: the same curves for the page and a picture."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from grm_plugin.correlation import Correlation
from grm_plugin.errors import InputError
from grm_plugin.evaluation.truth import Best, Correct, truth_of
from grm_plugin.hosts.averages import Mean
from grm_plugin.hosts.counting import Tally
from grm_plugin.hosts.rounding import as_trained
from grm_plugin.types import Group, Verdict
from grm_plugin.types.training import EVAL, TRAIN, when_of
from grm_plugin.watching.compared import Compared
from grm_plugin.watching.drifts import Drifts, joined
from grm_plugin.watching.openings import Openings, opening_of
from grm_plugin.watching.options import OPENING, START
from grm_plugin.watching.sources import Source, sourced
from grm_plugin.watching.start import rounds_of

MOST_POINTS = 60
"""Points of a curve; of a longer run several steps are one point."""
MOST_VERSIONS = 1000
"""Of a scalar RM that was refreshed whose starts are known."""
_SAME = 0.005
_FEW = 10  # points, which tell a change from noise


@dataclass
class Step:
    """The verdicts of one step, or of several.

    Args:
        tally: what they come to.
        quality: what is known of their responses, whether they are right (0 or 1) or ratings.
        follows: how the rewards within a group go with that.
        openings: how their responses begin.
        parts: what the judge and a scalar RM gave groups that a control judge gave rewards, too.
        rounds: from which the run took its start; None: it is not told.
        drifts: what was usual at the start of the run; None: not known.
    """

    tally: Tally = field(default_factory=Tally)
    quality: Mean = field(default_factory=Mean)
    follows: Correlation = field(default_factory=Correlation)
    openings: Openings = field(default_factory=lambda: Openings(16))
    parts: dict[Source, list[Compared]] = field(default_factory=dict)
    rounds: int | None = None
    drifts: Drifts | None = None

    def add(self, verdict: Verdict) -> None:
        """Count one verdict, with the rewards that its trainer got."""
        for source, group in sourced(verdict):  # before rounding, as the run is watched
            self.parts.setdefault(source, []).append(group)
            self.rounds = self.rounds or rounds_of(verdict.control)
        verdict = as_trained(verdict)
        self.tally.add(verdict)
        for text in verdict.group.responses:
            self.openings.add(opening_of(text, OPENING))
        known = quality_of(verdict.group)
        self.quality.add(*known)
        if known and verdict.rewards:
            both = zip(known, verdict.rewards, strict=True)
            self.follows.add((one, reward) for one, reward in both if reward is not None)

    @property
    def gap(self) -> float:
        """As the run that was watched logged it; NaN: not known."""
        return self.drifts.gap(self.parts).value if self.drifts else math.nan

    def __add__(self, other: Step) -> Step:
        return Step(
            self.tally + other.tally,
            self.quality + other.quality,
            self.follows + other.follows,
            self.openings + other.openings,
            joined(self.parts, other.parts),
            self.rounds or other.rounds,
        )


Steps = Mapping[tuple[str, int], Step]
"""By phase and step."""


class Curve(NamedTuple):
    """A number over steps.

    Args:
        name: as the start of a sentence.
        of: its value; NaN where it is not known.
        within: what its axis shows at least.
    """

    name: str
    of: Callable[[Step], float]
    within: tuple[float, ...] = ()


CURVES = (
    Curve("Mean reward", lambda step: step.tally.mean_reward),
    Curve("True quality", lambda step: step.quality.value),
    Curve("Spread within groups", lambda step: step.tally.mean_spread, (0,)),
    Curve("Tie rate", lambda step: step.tally.tie_rate, (0, 1)),
    Curve("Share of valid samples", lambda step: step.tally.valid_rate, (0, 1)),
    Curve("Share of unscored groups", lambda step: step.tally.unscored_rate, (0, 1)),
    Curve("Number of samples", lambda step: step.tally.drawn.value, (0,)),
    Curve("Correlation with length", lambda step: step.tally.lengths.value, (0,)),
    Curve("Correlation with true quality", lambda step: step.follows.value, (0,)),
    Curve("Share of the most common opening", lambda step: step.openings.share, (0, 1)),
    Curve("Gap to the control judge in z", lambda step: step.gap, (0,)),
    Curve("Correlation with the control judge", lambda step: step.tally.control.value, (0, 1)),
    Curve("Share of judged groups", lambda step: step.tally.scalar.judged_rate, (0, 1)),
    Curve(
        "Agreement that the scalar RM claims", lambda step: step.tally.scalar.claims.value, (0, 1)
    ),
    Curve("Agreement of audits", lambda step: step.tally.scalar.audits.value, (0, 1)),
)


class Point(NamedTuple):
    """The value of a curve at some steps, ``first`` to ``last``, over so many groups."""

    first: int
    last: int
    value: float
    groups: int


def steps_of(verdicts: Iterable[Verdict]) -> dict[tuple[str, int], Step]:
    """The steps of a run, from verdicts that say theirs; the others are passed."""
    found: dict[tuple[str, int], Step] = {}
    for verdict in verdicts:
        if (when := when_of(verdict.group)) is not None:
            found.setdefault(when, Step()).add(verdict)
    return found


def quality_of(group: Group) -> Sequence[float]:
    """What is known of each response by itself; nothing where there is only a best one."""
    try:
        truth = truth_of(group)
    except InputError:
        return ()
    if isinstance(truth, Best):
        return ()
    return truth.labels_N if isinstance(truth, Correct) else truth.values_N


def phases(steps: Steps) -> list[str]:
    """The phases of a run, training first."""
    return sorted({phase for phase, _ in steps}, key=lambda phase: (phase != TRAIN, phase))


def points(steps: Steps, phase: str, curve: Curve) -> Iterator[Point]:
    """The points of a curve in one phase, at most :data:`MOST_POINTS`; none that is not known."""
    numbers = sorted(step for of, step in steps if of == phase)
    size, usual = math.ceil(len(numbers) / MOST_POINTS), drifts_of(steps)
    for start in range(0, len(numbers), size):
        taken = numbers[start : start + size]
        together = sum((steps[phase, step] for step in taken), Step())
        together.drifts = usual
        if math.isfinite(value := curve.of(together)):
            yield Point(taken[0], taken[-1], value, together.tally.groups)


def drifts_of(steps: Steps) -> Drifts:
    """What was usual at the start, as the run that was watched took it.

    A record that does not tell of how many rounds is of as many as ``watch`` takes unless it is
    told otherwise. It knows nothing where there is no control judge, or that saw too little.
    """
    rounds = next((step.rounds for step in steps.values() if step.rounds), START)
    drifts = Drifts(rounds, most=MOST_VERSIONS)
    for key in sorted(steps, key=lambda key: key[1]):
        if key[0] != EVAL:
            drifts.add(steps[key].parts)
    return drifts


def told(curve: Curve, values: Sequence[float]) -> str:
    """What a curve says, by its first and its last fifth, where they differ by more than noise.

    Of curves that are noise alone, about 5 % are said to rise or fall. Of a few points it says
    where they begin and end, and no more.

    >>> told(CURVES[0], [0.25] * 5 + [0.75] * 5)
    'Mean reward rises from 0.25 to 0.75'
    """
    if not values:
        return f"{curve.name} is not known"
    some = max(1, len(values) // 5)
    before, after = statistics.fmean(values[:some]), statistics.fmean(values[-some:])
    if abs(after - before) < max(_SAME, _noise(values) * math.sqrt(2 / some)):
        return f"{curve.name} stays near {statistics.fmean(values):.2f}"
    if len(values) < _FEW:
        return f"{curve.name} is {before:.2f} at first and {after:.2f} at last"
    return f"{curve.name} {'rises' if after > before else 'falls'} from {before:.2f} to {after:.2f}"


def _noise(values: Sequence[float]) -> float:
    """How far one value may lie from its line by chance, in 95 of 100 cases; 0 of a few."""
    if len(values) < _FEW:
        return 0.0
    free = len(values) - 2
    slope, start = statistics.linear_regression(range(len(values)), values)
    apart = math.fsum((one - start - slope * i) ** 2 for i, one in enumerate(values))
    return _student(free) * math.sqrt(apart / free)


def _student(free: int) -> float:
    """The 97.5 % quantile of Student's t, to 0.01 from 8 degrees of freedom on."""
    z = statistics.NormalDist().inv_cdf(0.975)
    return z + (z**3 + z) / (4 * free) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * free**2)
