"""Which judgments vote. A selector marks judgments; it never changes a score."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from pydantic import Field

from grm_plugin.classifiers import Classifier, Rating
from grm_plugin.engine import Limits
from grm_plugin.errors import EngineError, RefusedError, TemplateError
from grm_plugin.hookspecs import Register, hookimpl
from grm_plugin.options import Options, read_options
from grm_plugin.prices import PromptPrices
from grm_plugin.prompts import META, load_template
from grm_plugin.running import guarded
from grm_plugin.size import Size
from grm_plugin.types import Failure, Group, Judgment, Message, Reason, Sample


@dataclass(frozen=True, slots=True)
class Selection:
    """Judgments, each marked with whether it votes, and those that could not be rated."""

    judgments: tuple[Judgment, ...]
    failures: tuple[Failure, ...] = ()


class Selector(Protocol):
    """Chooses among the valid judgments of one group.

    One that is paid for may have ``prices`` (:class:`grm_plugin.prices.PromptPrices`), and adds
    what it costs to the ``money`` of the judgments; a budget sets that aside.

    A class or function that makes selectors is offered with ``grm_register_selectors`` and called
    as ``part(options, limits)``.
    """

    async def start(self) -> None:
        """Make ready; called once."""

    async def select(self, group: Group, judgments: Sequence[Judgment], size: Size) -> Selection:
        """Mark who votes; ``judgments`` has at least one of the ``size.k`` samples drawn."""

    async def close(self) -> None:
        """Free what ``start`` took."""


class SelectorFactory(Protocol):
    """What ``grm_register_selectors`` offers."""

    def __call__(self, options: Mapping[str, Any], limits: Limits) -> Selector:
        """A selector that is not started yet; wrong options raise ConfigError."""


class SelectAll:
    """Every valid judgment votes."""

    def __init__(self, options: Mapping[str, Any], limits: Limits) -> None:
        read_options(Options, "selector 'all'", options)

    async def start(self) -> None: ...

    async def select(self, group: Group, judgments: Sequence[Judgment], size: Size) -> Selection:
        return Selection(tuple(judgments))

    async def close(self) -> None: ...


def keep_best(judgments: Sequence[Judgment], k_meta: int) -> tuple[Judgment, ...]:
    """Let the ``k_meta`` judgments with the highest meta-scores vote; a tie goes to the earlier.

    All judgments come back, in their order, with ``voted`` set.
    """
    ranked = sorted(judgments, key=lambda judgment: (-_meta_score(judgment), judgment.sample))
    best = set(map(_key, ranked[:k_meta]))
    return tuple(_marked(judgment, _key(judgment) in best) for judgment in judgments)


def _key(judgment: Judgment) -> tuple[int, int]:
    return judgment.run, judgment.sample


def _marked(judgment: Judgment, voted: bool) -> Judgment:
    return judgment if judgment.voted == voted else replace(judgment, voted=voted)


def _meta_score(judgment: Judgment) -> float:
    if judgment.meta_score is None:
        raise ValueError(f"sample {judgment.sample} has no meta-score; ask the meta RM first")
    return judgment.meta_score


class MetaRMOptions(Options):
    """How the meta RM is asked.

    Args:
        k_meta: how many judgments vote; None is half of k, at least 1. A size that names its own
            `k_meta`, as a schedule's may, goes before.
        classifier: where the meta RM runs, such as ``{name: server, url: ..., model: ...}``;
            whoever makes the part by its name makes the classifier first. Without one only recorded
            meta-scores count.
        template: a file that says what it is shown; None is the built-in one.
        prices: what it costs, ``{prompt: 0.1}`` in US dollars for a million tokens; None where
            nobody is paid for it. It reads texts and writes none.
    """

    k_meta: int | None = Field(None, ge=1)
    classifier: Any = None
    template: Path | None = None
    prices: PromptPrices | None = None


class MetaRM:
    """The meta RM as a selector: it reads query, responses and critique, and rates the judgment.

    The best ``k_meta`` judgments vote (section 4 of arXiv:2504.02495). A judgment it can not rate
    is dropped and counted as ``meta``. One that has a meta-score on record is not rated again.
    """

    def __init__(self, options: Mapping[str, Any], limits: Limits) -> None:
        read = read_options(MetaRMOptions, "selector 'meta_rm'", options)
        self._k_meta = read.k_meta
        self._template = load_template(read.template or META)
        if not self._template.shows("critique"):
            raise TemplateError(
                f"template {self._template.name!r} of the meta RM has no {{{{critique}}}}; "
                "write it where the judgment should stand"
            )
        self._classifier: Classifier | None = read.classifier
        self.prices = read.prices
        self.start_limit_s: float = getattr(read.classifier, "start_limit_s", 0.0)

    async def start(self) -> None:
        if self._classifier:
            await self._classifier.start()

    async def select(self, group: Group, judgments: Sequence[Judgment], size: Size) -> Selection:
        unrated = [judgment for judgment in judgments if judgment.meta_score is None]
        logits = await self._logits(group, unrated)
        answers = {_key(one): logit for one, logit in zip(unrated, logits, strict=True)}
        rated = [self._rated(judgment, answers.get(_key(judgment))) for judgment in judgments]
        valid = [outcome for outcome in rated if isinstance(outcome, Judgment)]
        failures = [outcome for outcome in rated if isinstance(outcome, Failure)]
        k_meta = size.k_meta or self._k_meta or max(1, size.k // 2)
        return Selection(keep_best(valid, k_meta), tuple(failures))

    async def _logits(
        self, group: Group, judgments: Sequence[Judgment]
    ) -> Sequence[float | Rating | EngineError]:
        if not judgments:
            return []
        if self._classifier is None:
            return [EngineError("no meta-score on record and no classifier set")] * len(judgments)
        prepared = self._template.prepare(group)
        texts = [_shown(prepared.render(each.order, each.text)) for each in judgments]
        try:
            owner = "selector 'meta_rm': its classifier"
            return await guarded.call(owner, self._classifier.logits, texts)
        except EngineError as error:
            return [error] * len(judgments)

    def _rated(self, judgment: Judgment, answer: float | Rating | EngineError | None) -> Sample:
        if answer is None:
            return judgment
        logit, tokens = (
            (answer.logit, answer.prompt_tokens) if isinstance(answer, Rating) else (answer, 0)
        )
        if self.prices and self._classifier:
            paid = self.prices.of_prompt(tokens) if tokens else None
            known = judgment.money is not None and paid is not None
            money = judgment.money + paid if known else None  # type: ignore[operator]
            judgment = replace(judgment, money=money)
        if isinstance(logit, EngineError) or not math.isfinite(logit):
            reason = Reason.REFUSED if isinstance(logit, RefusedError) else Reason.META
            return judgment.failed(reason, f"the meta RM gave no score: {logit}")
        return replace(judgment, meta_score=float(logit))

    async def close(self) -> None:
        if self._classifier:
            await self._classifier.close()

    def abandon(self) -> None:
        """Let the classifier end what it runs outside of this process; its event loop is lost."""
        if abandon := getattr(self._classifier, "abandon", None):
            abandon()


def _shown(messages: Sequence[Message]) -> str:
    return "\n\n".join(message.content for message in messages)


@hookimpl
def grm_register_selectors(register: Register[SelectorFactory]) -> None:
    """Offer the built-in selectors."""
    register("all", SelectAll)
    register("meta_rm", MetaRM)
