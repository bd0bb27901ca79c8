"""What people ask a judge about one prompt: rewards, an order, which of two is better."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from grm_plugin.errors import InputError, quoted, unknown
from grm_plugin.size import Size
from grm_plugin.types import Comparison, Group, Ranking, Verdict

Prompt = str | Sequence[Mapping[str, str]]
"""A text, or chat messages with ``role`` and ``content``."""
_FIELDS = [one.name for one in fields(Group) if one.name not in ("conversation", "responses")]
"""Of a group, that a call may name beside its prompt and its responses."""


def asked(prompt: Group | Prompt, responses: Sequence[str] | None, about: Any) -> Group:
    """The group that a call is about.

    Args:
        prompt: the whole group, or what the responses answer.
        responses: None where ``prompt`` is the group.
        about: further fields of a group, by name.

    Raises:
        InputError: there is no group in it.

    >>> asked("2 + 2?", ["4", "5"], {"reference": "4"}).reference
    '4'
    """
    if isinstance(prompt, Group):
        if responses is not None or about:
            raise InputError("expected a group alone, got more beside it, which a group has inside")
        return prompt
    if responses is None or not isinstance(prompt, str | list | tuple):
        raise InputError(
            "expected a Group, or a prompt and its responses, such as score(prompt, [one, other]), "
            f"got {quoted(prompt)}{'' if responses is not None else ' and no responses'}"
        )
    if strange := next((name for name in about if name not in _FIELDS), None):
        raise InputError(unknown("group field", strange, _FIELDS))
    try:
        return Group.of(prompt, responses, **about)
    except TypeError as error:
        raise InputError(str(error)) from error


def check_several(groups: Iterable[Group]) -> None:
    """Refuse one group where several are expected.

    Raises:
        InputError: it is one.
    """
    if isinstance(groups, Group):
        raise InputError("expected several groups, got one; score takes one")


class Calls(ABC):
    """The calls about one prompt.

    Each takes a :class:`Group`, or a prompt (a text or chat messages) with its responses, and then
    any further field of a group by name, such as ``reference``. A judge that can not be read does
    not guess: what has no reward is unscored, and never ranked, best, worst or a tie.
    """

    @abstractmethod
    def _judge(self, group: Group, size: Size | None) -> Verdict: ...

    @abstractmethod
    async def _judge_async(self, group: Group, size: Size | None) -> Verdict: ...

    def score(
        self,
        prompt: Group | Prompt,
        responses: Sequence[str] | None = None,
        *,
        size: Size | None = None,
        **about: Any,
    ) -> Verdict:
        """The verdict of one group: a reward for each response, and all they came from.

        A part that fails, blocks or does not return leaves it unscored, with the part's name.

        Args:
            prompt: a group, or what the responses answer.
            responses: N texts; None where ``prompt`` is the group.
            size: how many samples to draw; None: as configured.
            about: further fields of a group, such as ``reference``, ``evidence`` or ``id``.

        Raises:
            ConfigError: the settings do not allow the size.
            InputError: the group can not be judged as given.
            TemplateError: the template can not show it.
            EngineError: the judge can not be started.
            JudgeDeadError: as in :meth:`GRM.score_batch`.
        """
        return self._judge(asked(prompt, responses, about), size)

    async def score_async(
        self,
        prompt: Group | Prompt,
        responses: Sequence[str] | None = None,
        *,
        size: Size | None = None,
        **about: Any,
    ) -> Verdict:
        """:meth:`score` for callers with an event loop of their own."""
        return await self._judge_async(asked(prompt, responses, about), size)

    def rank(
        self,
        prompt: Group | Prompt,
        responses: Sequence[str] | None = None,
        *,
        size: Size | None = None,
        **about: Any,
    ) -> Ranking:
        """The responses of one prompt, best first: ``order``, ``ranks``, ``rewards``, ``best``.

        Args, Raises: as for :meth:`score`. With an event loop of your own, say
        ``Ranking(await grm.score_async(prompt, responses))``.
        """
        return Ranking(self.score(prompt, responses, size=size, **about))

    def compare(
        self,
        prompt: Prompt,
        first: str,
        second: str,
        *,
        size: Size | None = None,
        **about: Any,
    ) -> Comparison:
        """Which of two responses is better: ``outcome``, ``winner`` (0 or 1), ``margin``.

        With a k of 2 or more the judge sees them both ways round, so it does not matter which comes
        first.

        Args:
            prompt: what both answer.
            first, second: the responses.
            size, about: as for :meth:`score`.

        Raises: as :meth:`score`.
        """
        return Comparison(self.score(prompt, [first, second], size=size, **about))
