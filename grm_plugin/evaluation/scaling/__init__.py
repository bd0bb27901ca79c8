"""What more samples of a judge buy, from one set of samples a group. Needs numpy.

>>> from grm_plugin import Group
>>> from grm_plugin.types import Judgment, Verdict
>>> scores = [(9, 3), (4, 6), (8, 2), (7, 5)]
>>> votes = [Judgment(k, (0, 1), 0, "", pair) for k, pair in enumerate(scores)]
>>> verdict = Verdict(Group.of("q", ["a", "b"], metadata={"best": 0}), None, tuple(votes))
>>> (overall,) = study(Samples.of([verdict]), [voting("mean")], Design(ks=(1, 4), orders=200))
>>> [(one.k, round(one.accuracy.value, 1)) for one in overall.of("mean")]
[(1, 0.8), (4, 1.0)]
"""

from grm_plugin.evaluation.scaling.early import LeadRisks
from grm_plugin.evaluation.scaling.figures import Cost, Part, Point
from grm_plugin.evaluation.scaling.margin import by_margin, margins
from grm_plugin.evaluation.scaling.measuring import Design, Wins, measure
from grm_plugin.evaluation.scaling.orders import draw_orders
from grm_plugin.evaluation.scaling.samples import Samples
from grm_plugin.evaluation.scaling.scalar import (
    Beside,
    judge_accuracies,
    scalar_schemes,
    thresholds,
)
from grm_plugin.evaluation.scaling.schemes import (
    Outcome,
    Scheme,
    known_schemes,
    margin_alone,
    meta_rm,
    stopping,
    voting,
    weighted,
)
from grm_plugin.evaluation.scaling.study import Intervals, study
from grm_plugin.evaluation.scaling.voting import VOTERS, select, vote
from grm_plugin.evaluation.scaling.weighing import weighing

__all__ = [
    "VOTERS",
    "Beside",
    "Cost",
    "Design",
    "Intervals",
    "LeadRisks",
    "Outcome",
    "Part",
    "Point",
    "Samples",
    "Scheme",
    "Wins",
    "by_margin",
    "draw_orders",
    "judge_accuracies",
    "known_schemes",
    "margin_alone",
    "margins",
    "measure",
    "meta_rm",
    "scalar_schemes",
    "select",
    "stopping",
    "study",
    "thresholds",
    "vote",
    "voting",
    "weighing",
    "weighted",
]
