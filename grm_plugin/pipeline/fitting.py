"""Which responses are shown together, so that every prompt fits the judge."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from grm_plugin.engine import Engine
from grm_plugin.errors import ContextError, InputError
from grm_plugin.pipeline.case import Run
from grm_plugin.pipeline.planning import distinct, looks, subgroups
from grm_plugin.pipeline.plans import Plan
from grm_plugin.pipeline.pricing import FRAME_TOKENS
from grm_plugin.prompts import Prepared
from grm_plugin.types import Group, Message

# A response is measured as number 1; a longer number in its delimiters takes a little more.
_NUMBER_TOKENS = 6


@dataclass(frozen=True)
class Fitter:
    """Makes the runs of a group.

    Args:
        engine: knows its context and counts tokens, where it can.
        plan: which responses one call shows.
        max_tokens: most tokens the judge writes for one prompt, all its rounds together.
        merge: whether equal responses with equal evidence are judged once.
        split: whether a group that is too long is cut into overlapping runs, or refused.
        fewest: fewest responses that the template shows.
    """

    engine: Engine
    plan: Plan
    max_tokens: int
    merge: bool
    split: bool
    fewest: int = 1

    async def runs(self, group: Group, prepared: Prepared, seed: str) -> tuple[Run, ...]:
        """The runs of ``group``, each of which fits.

        Args:
            group: as the judge is shown it.
            prepared: the same, ready to render.
            seed: decides which pairs are compared; what sources add does not change it.

        Raises:
            ContextError: one does not, and may not be or can not be split.
            InputError: the plan can not show this group.
        """
        try:
            runs = self.plan.runs(self._members(group), seed)
        except InputError as error:
            raise InputError(f"group {group.label}: {error}") from None
        if self.engine.context_tokens is None:
            return runs
        room = self.engine.context_tokens - self.max_tokens
        longest = max(runs, key=lambda run: _bytes(prepared.render(run)))
        tokens = await self._tokens(prepared.render(longest), room)
        if tokens <= room:
            return runs
        if not self.split or self.plan.name != "list":
            raise self._too_long(group, tokens)
        return await self._split(group, prepared, longest, room)

    def _members(self, group: Group) -> Sequence[int]:
        """Who is judged: each response once, unless that leaves a list too short to show."""
        everybody = range(len(group.responses))
        if not self.merge:
            return everybody
        members = distinct(looks(group))[0]
        return everybody if self.plan.name == "list" and len(members) < self.fewest else members

    async def _tokens(self, messages: Sequence[Message], room: int) -> int:
        """Prompt tokens, or a lower number where all that matters is that they fit."""
        # a token is at least one byte, so most groups need no tokenizer to know that they fit
        if _bytes(messages) + FRAME_TOKENS <= room:
            return 0
        return await self.engine.count_tokens(messages) or 0

    def _too_long(self, group: Group, tokens: int) -> ContextError:
        cure = "set over_context: split, or lower" if self.plan.name == "list" else "lower"
        return ContextError(
            f"group {group.label}: {tokens} prompt tokens and max_tokens {self.max_tokens} are "
            f"over the judge's context of {self.engine.context_tokens}; {cure} max_tokens"
        )

    async def _split(
        self, group: Group, prepared: Prepared, members: Run, room: int
    ) -> tuple[Run, ...]:
        frame = await self.engine.count_tokens(prepared.render(())) or 0
        counts = [await self.engine.count_tokens(prepared.render((n,))) or 0 for n in members]
        try:
            sizes = [count - frame + _NUMBER_TOKENS for count in counts]
            runs = subgroups(sizes, budget=room - frame)
        except ContextError as error:
            raise ContextError(f"group {group.label}: {error}") from None
        if (shortest := min(map(len, runs))) < self.fewest:
            raise ContextError(
                f"group {group.label}: the template shows {self.fewest} responses or more, and "
                f"the judge's context leaves room for runs of {shortest}; shorten the responses, "
                "lower max_tokens or use a judge with a longer context"
            )
        return tuple(tuple(members[place] for place in run) for run in runs)


def _bytes(messages: Iterable[Message]) -> int:
    return sum(len(message.content.encode()) for message in messages)
