"""The scalar RM in the pipeline: scores before samples, and whether the judge is asked at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from grm_plugin.config import GRMConfig
from grm_plugin.engine import Recorded
from grm_plugin.errors import RecordError
from grm_plugin.pipeline.agreeing import agreement, with_agreement
from grm_plugin.pipeline.audits import Audits
from grm_plugin.pipeline.case import Case
from grm_plugin.pipeline.planning import digest
from grm_plugin.pipeline.scalar_rating import ScalarRater
from grm_plugin.pipeline.settling import Rule
from grm_plugin.prices import Amount
from grm_plugin.scalar import ScalarOptions
from grm_plugin.types import Group, Judgment, Scalar


class ScalarStage:
    """Rates groups, and decides which of them go without the judge.

    Args:
        options: the section ``scalar`` of the settings.
        rater: asks the scalar RM.
        model: as records name it.
        seed: decides which groups are audited.

    Attributes:
        audits: which say from what sureness on groups go without the judge.
    """

    def __init__(self, options: ScalarOptions, rater: ScalarRater, model: str, seed: int) -> None:
        self.options, self.rater = options, rater
        self._model, self._seed = model, seed
        self.audits = Audits(options.sure)

    @property
    def origin(self) -> Mapping[str, Any]:
        """What makes its part of a reward what it is, as JSON values, for records."""
        options, scaling = self.options, self.rater.scaling
        cascade = options.use == "cascade"
        versions = bool(options.classifier and options.classifier.options.get("reload"))
        return {
            "classifier": options.classifier.name if options.classifier else None,
            "model": self._model,
            "template": options.template,
            "use": options.use,
            "weight": options.votes_as,
            "sure": options.sure if cascade else None,
            "audit": options.audit if cascade else None,
            "judge_accuracy": options.judge_accuracy if cascade else None,
            "center": options.center if versions else scaling.center,  # each has its own,
            "spread": options.spread if versions else scaling.spread,  # which verdicts tell
            "raw": options.raw,
        }

    def most(self, group: Group) -> Amount:
        """The most that its scores may cost."""
        return self.rater.most(group)

    def asks(self, past: Recorded | None) -> bool:
        """Whether the scalar RM is asked about a group of which that is on record, if anything."""
        return not (past and past.scalar)

    async def rated(self, case: Case, past: Recorded | None) -> Case:
        """``case`` with scalar scores, and whether the judge is to be asked.

        Args:
            case: of a group of which nothing is drawn.
            past: what is on record of it, in a replay.

        Raises:
            RecordError: it is on record without scalar scores, and there is nobody to ask.
        """
        if past and past.scalar:  # as `asks` says
            return replace(case, scalar=self._again(case, past.scalar, past.sure))
        if past and past.k and self.options.classifier is None:
            raise RecordError(
                f"group {case.asked.label} is on record without scalar scores, and there is no "
                "scalar.classifier to ask for them; name one, or leave scalar out"
            )
        scalar = await self.rater.rated(case.shown, case.deadline)
        case.allowance.settle(self.most(case.shown), self._spent(case.shown, scalar))
        return replace(case, scalar=self._decided(scalar, audited=self._is_audited(case)))

    def learned(self, case: Case, judgments: Sequence[Judgment], rule: Rule, *, past: bool) -> Case:
        """``case`` with how far the judge agrees; audits learn of it, but for past."""
        scalar = case.scalar
        if scalar is None or not scalar.judged:
            return case
        found = agreement(case, judgments, rule, self.options.judge_accuracy)
        case = with_agreement(case, found)
        if case.scalar and not past:
            self.audits.came(case.scalar)
        return case

    def _decided(self, scalar: Scalar, *, audited: bool) -> Scalar:
        """Whether the judge is asked; not where no response has a score and so none a reward."""
        if self.options.alone or not any(one is not None for one in scalar.scores):
            return replace(scalar, judged=False)
        if self.options.use == "vote":
            return scalar
        state = self.audits.state
        judged = not state.is_sure(scalar.sureness) or audited
        return replace(
            scalar,
            sure=state.threshold,
            judged=judged,
            audited=judged and state.claims(scalar.sureness),
        )

    def _again(self, case: Case, scalar: Scalar, sure: float | None) -> Scalar:
        """What is on record, decided as it was then unless the settings decide otherwise.

        Decided anew, audits are those that were drawn, and a group that was not judged and would
        be now is left to the engine, which has no samples of it.
        """
        center, spread = self.options.center, self.options.spread
        again = replace(
            scalar,
            center=scalar.center if center is None else center,
            spread=scalar.spread if spread is None else spread,
        )
        if self.options.use == "cascade" and sure == self.options.sure and again == scalar:
            return scalar
        audited = scalar.judged and (_was_drawn_to_audit(scalar) or self._is_audited(case))
        again = replace(again, sure=None, judged=True, audited=False)
        return self._decided(again, audited=audited)

    def _is_audited(self, case: Case) -> bool:
        """By chance that the group decides, so that a second look comes to the same."""
        drawn = digest(f"{self._seed}:{case.asked.fingerprint}:audit")
        return drawn / 2**64 < self.options.audit

    def _spent(self, group: Group, scalar: Scalar) -> Amount:
        """What the scores count against a budget: what is known, or the most."""
        most = self.most(group)
        return Amount(
            money=most.money if scalar.money is None else scalar.money,
            flops=scalar.flops or most.flops,
        )


def _was_drawn_to_audit(scalar: Scalar) -> bool:
    """Whether a group on record was judged by chance, not because all were."""
    known = scalar.sure is not None and scalar.sureness is not None
    return scalar.audited and known and scalar.sureness >= scalar.sure  # type: ignore[operator]


def make_scalar_stage(config: GRMConfig, make: Any) -> ScalarStage | None:
    """The stage that ``config`` names, not started; None where it names none.

    Args:
        config: the settings.
        make: makes a part of a kind.

    Raises:
        ConfigError, PluginError, TemplateError: as for other parts.
    """
    options = config.scalar
    if options is None:
        return None
    classifier = make("classifier", options.classifier) if options.classifier else None
    named = options.classifier.options.get("model") if options.classifier else None
    rater = ScalarRater(options, classifier)
    return ScalarStage(options, rater, str(named or ""), config.seed)
