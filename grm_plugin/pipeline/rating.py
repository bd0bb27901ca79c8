"""Asks a meta RM how right judgments are: text in, one logit out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import Field

from grm_plugin.classifiers import Answer, logit_of
from grm_plugin.errors import EngineError, RefusedError, TemplateError
from grm_plugin.options import Options
from grm_plugin.pipeline.classifying import Asked, tokens_of, trained_on
from grm_plugin.pipeline.selecting import place
from grm_plugin.plugins import installed
from grm_plugin.prices import PromptPrices
from grm_plugin.prompts import META, Template, is_template_file, load_template
from grm_plugin.types import Group, Judgment, Message, Reason, Sample


class RatingOptions(Options):
    """How a meta RM is asked.

    Args:
        classifier: where the meta RM runs, such as ``{name: server, url: ..., model: ...}``;
            whoever makes the part by its name makes the classifier first. Without one only recorded
            meta-scores count.
        template: name or file of what it is shown; None is what the classifier says that it was
            trained on, as `grm train meta` notes it beside the weights, else the built-in one.
        prices: what it costs, ``{prompt: 0.1}`` in US dollars for a million tokens; None where
            nobody is paid for it. It reads texts and writes none.
        flops_per_token: FLOPs for a token that it reads, twice its active parameters; one in this
            process is counted.
    """

    classifier: Any = None
    template: str | Path | None = None
    prices: PromptPrices | None = None
    flops_per_token: float | None = Field(None, gt=0)


def load_meta_template(name: str | Path | None = None) -> Template:
    """What a meta RM is shown.

    Args:
        name: of an offered template, or the path of a file; None is the built-in one.

    Raises:
        ConfigError: nobody offers it.
        TemplateError: it can not be used, or has no place for the judgment.
    """
    template = load_template(meta_template_file(name))
    if not template.shows("critique"):
        raise TemplateError(
            f"template {template.name!r} of the meta RM has no {{{{critique}}}}; "
            "write it where the judgment should stand"
        )
    return template


def meta_template_file(name: str | Path | None = None) -> Path:
    """Where the template stands that :func:`load_meta_template` loads.

    Raises:
        ConfigError: nobody offers it.
    """
    if name is None or isinstance(name, Path) or is_template_file(name):
        return Path(name or META)
    return Path(installed().get("template", name))


def shown_to_meta_rm(template: Template, group: Group, judgments: Iterable[Judgment]) -> list[str]:
    """The text that a meta RM reads of each judgment, in training as in use.

    Args:
        template: as :func:`load_meta_template` gives it.
        group: what the judge was shown.
        judgments: of this group; each is shown with the responses in the order that it saw.
    """
    prepared = template.prepare(group)
    return [_joined(prepared.render(each.order, each.text)) for each in judgments]


@dataclass(frozen=True, slots=True)
class Rated:
    """What became of judgments, in their order, and the tokens that the meta RM read for them.

    ``tokens`` is None where it does not tell them.
    """

    samples: Sequence[Sample]
    tokens: int | None = 0


class Rater(Asked):
    """A meta RM and how it is asked.

    A judgment that it can not rate is dropped and counted as ``meta``; one that has a meta-score on
    record is not rated again.

    Args:
        options: as above.
        owner: how messages call who asks, say ``selector 'meta_rm'``.

    Raises:
        TemplateError: the template can not be used.
    """

    def __init__(self, options: RatingOptions, owner: str) -> None:
        super().__init__(options.classifier, f"{owner}: its classifier", options.flops_per_token)
        self._options, self._prices = options, options.prices
        self._template = self._read()

    def _read(self) -> Template:
        return load_meta_template(self._options.template or trained_on(self.classifier))

    async def start(self) -> None:
        """Start the classifier.

        Raises:
            EngineError: it can not be started.
            TemplateError: what it was trained on can not be used.
        """
        await super().start()
        self._template = self._read()  # of weights that were not there before

    async def rated(self, group: Group, judgments: Sequence[Judgment]) -> Rated:
        """Each judgment with its meta-score, or as a failure."""
        unrated = [judgment for judgment in judgments if judgment.meta_score is None]
        found = await self._answers(group, unrated)
        answers = {place(one): answer for one, answer in zip(unrated, found, strict=True)}
        return Rated(
            [self._rated(judgment, answers.get(place(judgment))) for judgment in judgments],
            tokens_of(found),
        )

    async def _answers(self, group: Group, judgments: Sequence[Judgment]) -> Sequence[Answer]:
        if not judgments:
            return []
        if self.classifier is None:
            return [EngineError("no meta-score on record and no classifier set")] * len(judgments)
        texts = shown_to_meta_rm(self._template, group, judgments)
        return await self.answers(self.classifier.logits, texts)

    def _rated(self, judgment: Judgment, answer: Answer | None) -> Sample:
        if answer is None:
            return judgment
        if self._prices and self.classifier:
            tokens = tokens_of([answer])
            paid = self._prices.of_prompt(tokens) if tokens else None
            known = judgment.money is not None and paid is not None
            money = judgment.money + paid if known else None  # type: ignore[operator]
            judgment = replace(judgment, money=money)
        logit = logit_of(answer)
        if isinstance(logit, EngineError):
            reason = Reason.REFUSED if isinstance(logit, RefusedError) else Reason.META
            return judgment.failed(reason, f"the meta RM gave no score ({self.owner}): {logit}")
        return replace(judgment, meta_score=logit)


def _joined(messages: Sequence[Message]) -> str:
    return "\n\n".join(message.content for message in messages)
