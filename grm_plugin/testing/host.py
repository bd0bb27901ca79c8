"""A trainer as the contract of adapters sees it, and an honest judge for it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from grm_plugin.classifiers import ClassifierFactory
from grm_plugin.engine import SampleRequest
from grm_plugin.errors import EngineError, RefusedError
from grm_plugin.hookspecs import Register, hookimpl
from grm_plugin.plugins import Plugin, Plugins
from grm_plugin.testing import Line, ScriptedEngine, scripted
from grm_plugin.types import Message

Datum = Literal["messages", "completions as messages", "reference"]
Rewards = list[list[float | None]]

FAILS = "the judge fails here"
REFUSED = "the judge lets us in no more"
MISCOUNTED = "the judge takes this for two responses"
SHOWN = re.compile(r"\[The Begin of Response \d+\]\n(.*?)\n\[The End of Response", re.S)
QUALITY = re.compile(r"quality (\d+)")


@dataclass(frozen=True)
class Asked:
    """One prompt and its completions, as the data of a trainer has them.

    Args:
        prompt: a text or messages.
        completions: texts or messages.
        reference: what a column of reference answers holds; None: there is no such column.
    """

    prompt: Any
    completions: Sequence[Any]
    reference: Any = None


class Host(Protocol):
    """An adapter, driven as its trainer drives it.

    ``hands_over`` is what the trainer can give an adapter beside texts. ``abstains`` tells whether
    it can do without a reward: the adapter gives None then, and a number that teaches nothing else.
    """

    hands_over: frozenset[Datum]
    abstains: bool

    def rewards(
        self,
        asked: Sequence[Asked],
        judge: Plugins,
        *,
        order: Sequence[tuple[int, int]],
        options: Mapping[str, Any],
        config: Mapping[str, Any],
    ) -> Rewards:
        """The rewards of one step.

        Args:
            asked: the prompts of the step; all have equally many completions.
            judge: plug-ins with the engine ``scripted``.
            order: in which the completions reach the adapter, as far as its trainer may choose:
                pairs of a prompt's and a completion's index.
            options: the adapter's own.
            config: fields of :class:`grm_plugin.GRMConfig`.

        Returns:
            Rewards by prompt and completion, in the order of ``asked``.

        Raises:
            GRMError: the adapter's errors; what is told in another way is raised as one of them.
        """


def in_place(
    asked: Sequence[Asked], order: Sequence[tuple[int, int]], found: Sequence[float | None]
) -> Rewards:
    """Rewards that came in ``order``, by prompt and completion."""
    by_place = dict(zip(order, found, strict=True))
    return [[by_place[g, n] for n in range(len(one.completions))] for g, one in enumerate(asked)]


class Step:
    """A host, and an honest judge: a response ``quality 7`` gets 7 points.

    The judge fails over prompts with ``FAILS``, refuses those with ``REFUSED`` as a server does
    that lets us in no more, boxes one score too many for a response with
    ``MISCOUNTED``, and remembers what it was shown. Beside it stands a scalar RM as the classifier
    ``qualities``, for which a response ``quality 7`` is a logit of 7.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self.judge = ScriptedEngine(_honest)

    @property
    def shown(self) -> list[str]:
        """What the judge was shown, one text a call."""
        calls = (request.messages for request in self.judge.requests)
        return ["\n".join(message.content for message in messages) for messages in calls]

    def rewards(
        self,
        *asked: Asked,
        order: Sequence[tuple[int, int]] | None = None,
        config: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Rewards:
        """As :meth:`Host.rewards`, in the natural order unless told otherwise."""
        natural = [(g, n) for g, one in enumerate(asked) for n in range(len(one.completions))]
        return self._host.rewards(
            asked,
            scripted(self.judge, Plugin("qualities", _Offer())),
            order=order or natural,
            options=options,
            config={"engine": "scripted", "k": 1, **(config or {})},
        )


class _Qualities:
    """Reads the last turn of a conversation, as a scalar RM does."""

    async def start(self) -> None: ...

    async def logits(self, texts: Sequence[str]) -> Sequence[float]:
        found = [QUALITY.search(text) for text in texts]
        return [float(one[1]) if one else 0.0 for one in found]

    async def logits_of_conversations(
        self, conversations: Sequence[Sequence[Message]]
    ) -> Sequence[float]:
        return await self.logits([turns[-1].content for turns in conversations])

    async def close(self) -> None: ...


class _Offer:
    @hookimpl
    def grm_register_classifiers(self, register: Register[ClassifierFactory]) -> None:
        register("qualities", lambda options, limits: _Qualities())


def _honest(request: SampleRequest, i: int) -> Line:
    text = "\n".join(message.content for message in request.messages)
    if REFUSED in text:
        return RefusedError("HTTP 401: name the variable with the key in api_key_env")
    if FAILS in text:
        return EngineError("the judge is away")
    qualities = [QUALITY.search(response) for response in SHOWN.findall(text)]
    scores = [found[1] if found else "1" for found in qualities]
    return f"Scores: \\boxed{{{', '.join(scores + ['10'] * text.count(MISCOUNTED))}}}"
