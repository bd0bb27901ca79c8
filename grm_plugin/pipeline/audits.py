"""What a cascade learns from audits: from its own as they come, or from those of a whole run."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from grm_plugin.pipeline.auditing import Audit, Auditing
from grm_plugin.types import Scalar, Verdict

logger = logging.getLogger(__name__)


class Audits:
    """Keeps the threshold of a cascade; it outlives the parts that ask it.

    Args:
        sure: the threshold of sureness, 0.5..1, that holds while there is nothing against it.

    Attributes:
        state: what all audits so far come to.
        together: whether somebody tells those of all processes of a run (:meth:`tell`), in an order
            that is the same in each. What this process judges does not count as it comes then, so
            that all have one threshold, which stays while they judge side by side.
    """

    def __init__(self, sure: float) -> None:
        self.state = Auditing(sure)
        self.together = False

    def came(self, scalar: Scalar) -> None:
        """A group was judged here."""
        if not self.together:
            self._learn(scalar)

    def tell(self, verdicts: Iterable[Verdict]) -> None:
        """What all processes judged; those that do not learn together know of their own already."""
        for one in verdicts:
            if self.together and one.scalar:
                self._learn(one.scalar)

    def recall(self, verdicts: Iterable[Verdict]) -> None:
        """Learn from earlier verdicts of the same run, in their order."""
        for one in verdicts:
            if one.scalar and (audit := _audit_of(one.scalar)):
                self.state = self.state.told(audit)
        if self.state.threshold > self.state.sure:
            logger.warning(
                "scalar: earlier audits of this run have raised sure from %g to %g",
                *(self.state.sure, self.state.threshold),
            )

    def _learn(self, scalar: Scalar) -> None:
        if audit := _audit_of(scalar):
            before, self.state = self.state.threshold, self.state.told(audit)
            _tell_move(before, self.state.threshold, audit)


def _audit_of(scalar: Scalar) -> Audit | None:
    """What a group of a cascade that was judged says of the scalar RM, if anything."""
    known = scalar.sureness, scalar.claim, scalar.agreement
    if scalar.sure is None or not scalar.judged or None in known:
        return None
    return Audit(*known)  # type: ignore[arg-type]


def _tell_move(before: float, after: float, audit: Audit) -> None:
    if after > before:
        logger.warning(
            "scalar: audits say that the scalar RM is not as right as it claims (the judge "
            "agreed on %.2f of the last group's pairs, and %.2f were claimed): sure is raised "
            "from %g to %g, at which all groups are judged",
            *(audit.agreement, audit.claim, before, after),
        )
    elif after < before:
        logger.warning(
            "scalar: audits say that the scalar RM is as right as it claims again: sure comes "
            "down from %g to %g",
            *(before, after),
        )
