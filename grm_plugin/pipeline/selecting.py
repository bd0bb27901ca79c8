"""Which judgments vote. A selector marks and weighs judgments; it never changes a score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from grm_plugin.engine import Limits
from grm_plugin.size import Size
from grm_plugin.types import Failure, Group, Judgment


@dataclass(frozen=True, slots=True)
class Selection:
    """Judgments, each marked with whether it votes and how much, and those without a rating.

    ``tokens`` are those that a model of the selector's own read for it; None: they are not known.
    """

    judgments: tuple[Judgment, ...]
    failures: tuple[Failure, ...] = ()
    tokens: int | None = 0


class Selector(Protocol):
    """Chooses among the valid judgments of one group.

    One that is paid for may have ``prices`` (:class:`grm_plugin.prices.PromptPrices`), and adds
    what it costs to the ``money`` of the judgments; a budget sets that aside. One with a model may
    have ``flops_per_token``, FLOPs for a token that this reads, known once it has started.

    One whose choice depends on more than its options, say on what a file holds, may have
    ``origin``, JSON values by names of its own that records keep.

    A class or function that makes selectors is offered with ``grm_register_selectors`` and called
    as ``part(options, limits)``.
    """

    async def start(self) -> None:
        """Make ready; called once."""

    async def select(self, group: Group, judgments: Sequence[Judgment], size: Size) -> Selection:
        """Mark who votes, and with which weight (equal ones unless it says otherwise).

        ``judgments`` has at least one of the ``size.k`` samples drawn.
        """

    async def close(self) -> None:
        """Free what ``start`` took."""


class SelectorFactory(Protocol):
    """What ``grm_register_selectors`` offers."""

    def __call__(self, options: Mapping[str, Any], limits: Limits) -> Selector:
        """A selector that is not started yet; wrong options raise ConfigError."""


def keep_best(judgments: Sequence[Judgment], k_meta: int) -> tuple[Judgment, ...]:
    """Let the ``k_meta`` judgments with the highest meta-scores vote; a tie goes to the earlier.

    All judgments come back, in their order, with ``voted`` set.
    """
    ranked = sorted(judgments, key=lambda judgment: (-meta_score(judgment), judgment.sample))
    best = set(map(place, ranked[:k_meta]))
    return tuple(_marked(judgment, place(judgment) in best) for judgment in judgments)


def place(judgment: Judgment) -> tuple[int, int]:
    """What tells a judgment from all others of its group: its run and its number."""
    return judgment.run, judgment.sample


def _marked(judgment: Judgment, voted: bool) -> Judgment:
    return judgment if judgment.voted == voted else replace(judgment, voted=voted)


def meta_score(judgment: Judgment) -> float:
    """The meta-score of a judgment that was rated.

    Raises:
        ValueError: it has none.
    """
    if judgment.meta_score is None:
        raise ValueError(f"sample {judgment.sample} has no meta-score; ask the meta RM first")
    return judgment.meta_score
