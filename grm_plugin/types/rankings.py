"""What rewards say of the responses of one group: their order, and which of two is better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from grm_plugin.types.verdicts import Verdict

_DIGITS = 9  # rewards that differ by less are equal: the rest is floating point


@dataclass(frozen=True)
class Ranking:
    """The responses of one group, best first. One without a reward has no place in it.

    Args:
        verdict: what it follows from.
    """

    verdict: Verdict

    @property
    def rewards(self) -> tuple[float | None, ...]:
        """N rewards in the order in which the responses were given; None: unscored."""
        return self.verdict.rewards or (None,) * len(self.verdict.group.responses)

    @property
    def order(self) -> tuple[int, ...]:
        """Indices of the scored responses, best first; equal ones as they were given.

        >>> from grm_plugin.types import Group
        >>> group = Group.of("q", ["a", "b", "c"])
        >>> Ranking(Verdict(group, (0.2, None, 0.9))).order
        (2, 0)
        """
        known = [(n, reward) for n, reward in enumerate(self.rewards) if reward is not None]
        return tuple(n for n, reward in sorted(known, key=lambda one: -round(one[1], _DIGITS)))

    @property
    def ranks(self) -> tuple[int | None, ...]:
        """The rank of each response from 1 on; equal rewards share one, unscored is None.

        >>> from grm_plugin.types import Group
        >>> Ranking(Verdict(Group.of("q", ["a", "b", "c"]), (0.5, 0.9, 0.5))).ranks
        (2, 1, 2)
        """
        rounded = [None if one is None else round(one, _DIGITS) for one in self.rewards]
        known = [one for one in rounded if one is not None]
        return tuple(
            None if one is None else 1 + sum(other > one for other in known) for one in rounded
        )

    @property
    def best(self) -> int | None:
        """The index of the best response; None where several share the top, or none is scored."""
        return self.ranks.index(1) if self.ranks.count(1) == 1 else None

    @property
    def unscored(self) -> dict[int, str]:
        """Why responses have no reward, by index; empty when all are scored."""
        missing = [n for n, reward in enumerate(self.rewards) if reward is None]
        return {n: self.verdict.unscored_responses.get(n, self.verdict.unscored) for n in missing}


@dataclass(frozen=True)
class Comparison:
    """Which of two responses is better, and by how much.

    Args:
        verdict: what it follows from, of two responses.

    Raises:
        ValueError: it is of another number of responses.
    """

    verdict: Verdict

    def __post_init__(self) -> None:
        if (n := len(self.verdict.group.responses)) != 2:
            raise ValueError(f"expected two responses to compare, got {n}")

    @property
    def margin(self) -> float | None:
        """The reward of the first response less that of the second; None: one has none."""
        first, second = self.verdict.rewards or (None, None)
        return None if first is None or second is None else round(first - second, _DIGITS)

    @property
    def outcome(self) -> Literal["first", "second", "tie", "unscored"]:
        """What the judge says; ``unscored`` is no tie.

        >>> from grm_plugin.types import Group
        >>> Comparison(Verdict(Group.of("q", ["a", "b"]), (0.4, 0.7))).outcome
        'second'
        """
        if self.margin is None:
            return "unscored"
        return "tie" if self.margin == 0 else "first" if self.margin > 0 else "second"

    @property
    def winner(self) -> int | None:
        """0 or 1, the index of the better response; None for a tie and where unscored."""
        return {"first": 0, "second": 1}.get(self.outcome)

    @property
    def unscored(self) -> str:
        """Why there is no answer; empty when there is one."""
        return next(iter(Ranking(self.verdict).unscored.values()), "")
