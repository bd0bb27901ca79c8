"""Asks a scalar RM for the scores of a group."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from grm_plugin.classifiers import Answer, Classifier, Rating, Scaling, logit_of
from grm_plugin.errors import ConfigError, EngineError, PluginError, RefusedError, quoted
from grm_plugin.pipeline.classifying import Asked, tokens_of, trained_on
from grm_plugin.pipeline.pricing import FRAME_TOKENS, check_size
from grm_plugin.pipeline.scalar_reading import (
    check_shows,
    conversations_of,
    load_scalar_template,
    texts_of,
)
from grm_plugin.prices import Amount, BudgetLimits
from grm_plugin.prompts import Template
from grm_plugin.scalar import ScalarOptions
from grm_plugin.types import Group, Scalar

UNKNOWN = (
    "no scalar score of it is on record, and the settings name no scalar.classifier to ask for one"
)


class ScalarRater(Asked):
    """A scalar RM and how it is asked.

    Args:
        options: the section ``scalar`` of the settings.
        classifier: what it names, not started; None where only recorded scores count.

    Raises:
        ConfigError: without a template, the classifier must know the chat template of its model.
        TemplateError: the template can not be used.
    """

    def __init__(self, options: ScalarOptions, classifier: Classifier | None) -> None:
        owner = "scalar RM"
        if options.classifier:
            owner += f" (classifier {options.classifier.name!r})"
        super().__init__(classifier, owner, options.flops_per_token)
        self._options = options
        self._template = self._read()
        if classifier and not (self._template or _reads_conversations(classifier)):
            raise ConfigError(
                f"scalar: the {owner} can not fill the chat template of its model; name a "
                "file with scalar.template"
            )

    def _read(self) -> Template | None:
        path = self._options.template or trained_on(self.classifier)
        return load_scalar_template(str(path)) if path else None

    @property
    def scaling(self) -> Scaling:
        """Of its logits: what is set, else what stands beside its weights.

        Raises:
            PluginError: the classifier says what can be none.
        """
        return self._scaling(None)

    def _scaling(self, told: Scaling | None) -> Scaling:
        """What is set, else what came with the logits, else what the classifier says."""
        told = told or getattr(self.classifier, "scaling", None)
        beside = Scaling() if told is None else _checked_scaling(self.owner, told)
        center, spread = self._options.center, self._options.spread
        return Scaling(
            beside.center if center is None else center,
            beside.spread if spread is None else spread,
        )

    async def start(self) -> None:
        """Start the classifier.

        Raises:
            EngineError: it can not be started.
            PluginError: it says a scaling that can be none.
            TemplateError: what it was trained on can not be used.
        """
        await super().start()
        self._scaling(None)
        self._template = self._read()  # of weights that were not there before
        if find := getattr(self.classifier, "find_control_tokens", None):
            await find()

    def check_budget(self, budget: BudgetLimits, *, started: bool) -> None:
        """Refuse a budget in FLOPs where its size is not known.

        Args:
            budget: what may be spent.
            started: whether the classifier is; one that counts its parameters knows then.

        Raises:
            ConfigError: says what to set.
        """
        may_know = not started and hasattr(self.classifier, "flops_per_token")
        if budget.flops and not may_know:
            check_size(self.flops_per_token, f"the {self.owner}", "scalar.")

    def check(self, group: Group, coming: Sequence[str] = ()) -> None:
        """Refuse what its template can not show, where it has one.

        Args:
            group: what would be rated.
            coming: what sources will add to it: principles, evidence.

        Raises:
            InputError: names the group.
            TemplateError: the template has no place for what the group carries, or will.
        """
        if self._template:
            check_shows(self._template, group, coming)

    def most(self, group: Group) -> Amount:
        """The most that the scores of ``group`` may cost: every byte counts as a token."""
        prices, per_token = self._options.prices, self.flops_per_token
        if self.classifier is None or not (prices or per_token):
            return Amount()
        shared = sum(len(turn.content.encode()) + FRAME_TOKENS for turn in group.conversation)
        tokens = sum(shared + len(text.encode()) + FRAME_TOKENS for text in group.responses)
        money = prices.of_prompt(tokens) if prices else 0.0
        return Amount(money=money, flops=tokens * (per_token or 0.0))

    async def rated(self, group: Group, deadline: float) -> Scalar:
        """The scores of all responses; equal ones are rated once.

        Args:
            group: as the judge is shown it.
            deadline: ``time.monotonic()`` by which all must be there.

        Raises:
            InputError, TemplateError: the template can not show the group.
            PluginError: what the classifier gave can be no scores, or no scaling of them.
        """
        first: dict[str, int] = {}
        for n, text in enumerate(group.responses):
            first.setdefault(text, n)
        answers = await self._answers(group, list(first.values()), deadline)
        by_text = dict(zip(first, answers, strict=True))
        return self._scalar([by_text[text] for text in group.responses], answers)

    async def _answers(
        self, group: Group, numbers: Sequence[int], deadline: float
    ) -> Sequence[Answer]:
        if self.classifier is None:
            return [EngineError(UNKNOWN)] * len(numbers)
        control = getattr(self.classifier, "control_tokens", ())
        if self._template:
            ask, shown = self.classifier.logits, texts_of(self._template, group, numbers, control)
        else:
            ask = self.classifier.logits_of_conversations  # type: ignore[attr-defined]
            texts = [group.responses[n] for n in numbers]
            shown = conversations_of(group, texts, control)  # type: ignore[assignment]
        return await self.answers(ask, shown, deadline)

    def _scalar(self, answers_N: Sequence[Answer], asked: Sequence[Answer]) -> Scalar:
        """What the answers come to; ``asked`` are those of different texts, which were paid for."""
        scores, failures = _parted(answers_N)
        rating = next((one for one in asked if isinstance(one, Rating)), None)
        told = tokens_of(asked)
        tokens = sum(one.prompt_tokens for one in asked if isinstance(one, Rating))
        prices, per_token = self._options.prices, self.flops_per_token
        return Scalar(
            scores,
            *self._scaling(rating.scaling if rating else None),
            failures=failures,
            refused=any(isinstance(one, RefusedError) for one in asked),
            prompt_tokens=tokens,
            money=prices.of_prompt(tokens) if prices and tokens else None,
            flops=None if per_token is None or told is None else per_token * told,
            version=rating.version if rating else "",
        )


def _reads_conversations(classifier: Classifier) -> bool:
    return hasattr(classifier, "logits_of_conversations")


def _checked_scaling(owner: str, told: object) -> Scaling:
    """What a classifier says of its logits, if they can be scaled so.

    Raises:
        PluginError: they can not.
    """
    try:
        center, spread = map(float, told)  # type: ignore[call-overload]
        if math.isfinite(center) and 0 < spread < math.inf:
            return Scaling(center, spread)
    except (TypeError, ValueError):
        pass
    raise PluginError(
        f"{owner}: scaling: expected a finite center and a spread above 0, got {quoted(told)}"
    )


def _parted(answers_N: Sequence[Answer]) -> tuple[tuple[float | None, ...], Mapping[int, str]]:
    """The logits, None for what is none, and why."""
    found_N = [*map(logit_of, answers_N)]
    failures = {
        n: f"the scalar RM gave no score: {one}"
        for n, one in enumerate(found_N)
        if isinstance(one, EngineError)
    }
    return tuple(None if isinstance(one, EngineError) else one for one in found_N), failures
