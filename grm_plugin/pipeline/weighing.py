"""How much a judgment counts: a weight from what is known of it. Pure functions.

The weight of a judgment is ``exp(meta * meta-score + margin * margin)``. Only ratios within a group
count, so there is no constant; one that is far below the heaviest may lose its vote.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from grm_plugin.errors import ConfigError
from grm_plugin.options import Options, read_options
from grm_plugin.types import Judgment

COEFFICIENTS = "coefficients"


class Weighing(Options):
    """The coefficients of soft weights, as ``grm train weights`` fits them.

    Args:
        meta: for one of the meta-score (a logit); 0 asks no meta RM.
        margin: for one point between the two highest scores of the judgment; see :func:`margin`.
        drop_below: the share of the heaviest weight of a group, 0..1, below which a judgment does
            not vote. The heaviest one always does.
    """

    meta: float = 0.0
    margin: float = 0.0
    drop_below: float = Field(0.0, ge=0, le=1)

    def log_weight(self, meta: Any, margin: Any) -> Any:
        """The logarithm of a weight but for a constant, of numbers or of arrays.

        >>> Weighing(meta=2, margin=0.5).log_weight(1.0, 4.0)
        4.0
        """
        return self.meta * meta + self.margin * margin

    def beside(self, log: Any, heaviest: Any, exp: Callable[[Any], Any] = math.exp) -> Any:
        """A weight as the share, 0..1, of the heaviest one of its group; 0 does not vote.

        Args:
            log, heaviest: :meth:`log_weight` of the judgment and the highest of its group, as
                numbers or as arrays.
            exp: for arrays that of their library, such as ``numpy.exp``.

        >>> weighing = Weighing(meta=1, drop_below=0.2)
        >>> weighing.beside(3.0, 3.0), weighing.beside(1.0, 3.0)
        (1.0, 0.0)
        """
        share = exp(log - heaviest)
        return share * (share >= self.drop_below)


def weights(meta_K: Sequence[float], margin_K: Sequence[float], weighing: Weighing) -> list[float]:
    """The weights of the K >= 1 judgments of one group, 0..1, of which one at least is 1.

    >>> weights([0.0, 0.0], [3.0, 3.0], Weighing(margin=1))
    [1.0, 1.0]
    """
    logs = [weighing.log_weight(*known) for known in zip(meta_K, margin_K, strict=True)]
    return [weighing.beside(log, max(logs)) for log in logs]


def margin(scores: Sequence[float | None]) -> float:
    """How far the best response of a judgment is ahead of the second, in points; 0 of one alone.

    Args:
        scores: of one judgment; None for a response that it was not shown.

    >>> margin((8, 5, 7)), margin((8, 8)), margin((4,))
    (1, 0, 0.0)
    """
    known = sorted(score for score in scores if score is not None)
    return known[-1] - known[-2] if len(known) > 1 else 0.0


def margin_of(judgment: Judgment) -> float:
    """:func:`margin` of the scores that the judge wrote, without those of copies."""
    return margin([judgment.scores[n] for n in judgment.order])


def read_weighing(path: Path) -> Weighing:
    """The coefficients in a file that ``grm train weights`` wrote.

    Raises:
        ConfigError: it can not be read, or holds no coefficients.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"weights {path} can not be read: {error}") from error
    if not isinstance(found, Mapping) or not isinstance(found.get(COEFFICIENTS), Mapping):
        raise ConfigError(
            f"weights {path}: expected an object with {COEFFICIENTS}, as `grm train weights` "
            "writes it"
        )
    return read_options(Weighing, f"weights {path}", found[COEFFICIENTS])
