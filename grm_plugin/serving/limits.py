"""What is too much in a call. How much may be sent at all, the middleware has decided before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from grm_plugin.serving.errors import TooLarge
from grm_plugin.serving.gathering import Arrival
from grm_plugin.serving.protocols.groups import ScoreCall
from grm_plugin.serving.protocols.openrlhf import RewardCall
from grm_plugin.serving.settings import ServingSettings
from grm_plugin.types import Group, Message


def check_groups(
    settings: ServingSettings, call: ScoreCall, groups: Sequence[Group], k: int
) -> None:
    """Refuse a call with whole groups that is over a limit; ``k`` is the configured one.

    Raises:
        TooLarge: names the limit.
    """
    if len(call.groups) > settings.max_groups_per_call:
        raise TooLarge(
            f"expected at most {settings.max_groups_per_call} groups in a call, "
            f"got {len(call.groups)}"
        )
    if call.size and call.size.k > settings.max_k:
        raise TooLarge(f"size.k: expected at most {settings.max_k} samples, got {call.size.k}")
    _check_draws(settings, len(groups), call.size.k if call.size else k)
    _check(settings, ((len(group.responses), _characters(group)) for group in groups))


def check_texts(settings: ServingSettings, call: RewardCall) -> None:
    """Refuse a call with single samples of which a query or a prompt is over the limit.

    Raises:
        TooLarge: names the limit.
    """
    _check(settings, ((1, len(text)) for text in (*call.query, *call.prompts)))


def check_arrivals(settings: ServingSettings, arrivals: Sequence[Arrival], k: int) -> None:
    """Refuse samples of groups that are over a limit, or that were asked too much.

    Raises:
        TooLarge: names the limit.
    """
    _check_draws(settings, len({one.group for one in arrivals}), k)
    _check(settings, ((one.size, _asked(one.conversation)) for one in arrivals))


def _check_draws(settings: ServingSettings, groups: int, k: int) -> None:
    most = settings.max_draws_per_call
    if groups * k > most:
        raise TooLarge(
            f"expected at most {most} samples of the judge for a call, got {groups} groups with "
            f"{k} each; send fewer groups in one call, or raise max_draws_per_call"
        )


def _characters(group: Group) -> int:
    return _asked(group.conversation) + sum(map(len, group.responses))


def _asked(conversation: Sequence[Message]) -> int:
    return sum(len(turn.content) for turn in conversation)


def _check(settings: ServingSettings, sizes: Iterable[tuple[int, int]]) -> None:
    """``sizes`` are responses and characters."""
    for responses, characters in sizes:
        if responses > settings.max_responses:
            raise TooLarge(
                f"expected at most {settings.max_responses} responses in a group, got {responses}"
            )
        if characters > settings.max_characters:
            raise TooLarge(
                f"expected at most {settings.max_characters} characters in a group, "
                f"got {characters}"
            )
