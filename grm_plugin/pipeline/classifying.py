"""A classifier that a part of the judge asks: its life, its answers and what a token takes."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from grm_plugin.classifiers import Answer, Classifier, Rating
from grm_plugin.errors import EngineError, PluginError, quoted
from grm_plugin.running import guarded


def trained_on(classifier: Any) -> Path | None:
    """The template that a classifier says it was trained on; None where it says nothing."""
    found: Path | None = getattr(classifier, "template", None)
    return found


class Asked:
    """A classifier, as a meta RM or a scalar RM.

    Args:
        classifier: not started; None where only what is on record counts.
        owner: how messages call it.
        flops_per_token: as the user names it; it holds before what the classifier says.
    """

    def __init__(
        self, classifier: Classifier | None, owner: str, flops_per_token: float | None = None
    ) -> None:
        self.classifier, self.owner = classifier, owner
        self._flops_per_token = flops_per_token
        self.start_limit_s: float = getattr(classifier, "start_limit_s", 0.0)

    @property
    def flops_per_token(self) -> float | None:
        """FLOPs for a token that it reads, where that is known by now; 0 where nobody is asked."""
        if self.classifier is None:
            return 0.0
        found: float | None = getattr(self.classifier, "flops_per_token", None)
        return self._flops_per_token or found

    async def start(self) -> None:
        """Start it.

        Raises:
            EngineError: it can not be started.
        """
        if self.classifier:
            await self.classifier.start()

    async def close(self) -> None:
        """Close it."""
        if self.classifier:
            await self.classifier.close()

    def abandon(self) -> None:
        """Let it end what it runs outside of this process; its event loop is lost."""
        if abandon := getattr(self.classifier, "abandon", None):
            abandon()

    async def answers(
        self,
        ask: Callable[..., Awaitable[Sequence[Answer]]],
        shown: Sequence[Any],
        deadline: float = math.inf,
    ) -> Sequence[Answer]:
        """What it says of each of some texts; an error that is of all of them stands for each.

        Args:
            ask: its method that takes them.
            shown: texts or conversations.
            deadline: ``time.monotonic()`` by which all must be there.

        Raises:
            PluginError: these are not as many.
        """
        try:
            found = await guarded.call(self.owner, ask, shown, deadline=deadline)
        except guarded.PartTimeout:
            late = EngineError(f"the group's deadline passed before the {self.owner} answered")
            return [late] * len(shown)
        except EngineError as error:
            return [error] * len(shown)
        if isinstance(found, Sequence) and len(found) == len(shown):
            return found
        raise PluginError(
            f"{self.owner}: expected {len(shown)} logits, one a text, got {quoted(found)}"
        )


def tokens_of(answers: Sequence[Answer]) -> int | None:
    """Tokens that were read for some answers, failures left out; None: one does not tell.

    >>> tokens_of([Rating(0.5, 300), Rating(0.1, 200)]), tokens_of([Rating(0.5, 300), 0.1])
    (500, None)
    """
    told = [
        one.prompt_tokens if isinstance(one, Rating) else 0
        for one in answers
        if not isinstance(one, EngineError)
    ]
    return sum(told) if all(told) else None
