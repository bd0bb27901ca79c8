"""The values that flow through the pipeline: a group goes in, a verdict comes out.

Axes: ``K`` samples of the judge, ``N`` responses of a group. Scores are the judge's points
(1..10 by default); rewards are what a trainer gets (0..1 by default).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grm_plugin.moved import refuse_old_name
from grm_plugin.types.groups import SURROGATE, Group, Message, Scale, digest
from grm_plugin.types.rankings import Comparison, Ranking
from grm_plugin.types.samples import (
    LOST,
    Failure,
    Judgment,
    Principle,
    Reason,
    Sample,
    Token,
    is_weight,
)
from grm_plugin.types.scalars import Scalar
from grm_plugin.types.verdicts import Control, Cost, Verdict

__all__ = [
    "LOST",
    "SURROGATE",
    "Comparison",
    "Control",
    "Cost",
    "Failure",
    "Group",
    "Judgment",
    "Message",
    "Principle",
    "Ranking",
    "Reason",
    "Sample",
    "Scalar",
    "Scale",
    "Token",
    "Verdict",
    "digest",
    "is_weight",
]

if not TYPE_CHECKING:  # checkers know the names that are there

    def __getattr__(name: str) -> Any:
        raise refuse_old_name(name, __name__, "grm_plugin.engine", ("Draw",))
