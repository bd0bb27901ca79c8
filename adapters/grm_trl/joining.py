"""Missing stays missing beside other rewards: where the judge has none, the others give none.

TRL leaves a completion out of the advantages only when *all* its rewards are None. Beside a second
reward a group that the judge could not score would train on that reward alone, at full strength.
So the rewards of a trainer are made members of a :class:`~grm_trl.panel.Panel`: by the judge itself
in its first call, or by hand with :func:`abstaining`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from grm_plugin.errors import ConfigError
from grm_trl import host
from grm_trl.panel import Call, Judge, Member, Panel


def abstaining(reward_funcs: Sequence[Any]) -> list[Any]:
    """The same rewards, which give None together for a completion the judge has no reward for.

    A :class:`grm_trl.GRMReward` that stands first sees to that by itself where TRL tells it the
    trainer (GRPO, RLOO, GMPO). This is for other orders, for :class:`grm_trl.AsyncGRMReward`, and
    for async GRPO. Names, order and ``reward_weights`` stay as they are.

    Args:
        reward_funcs: what the trainer would get: judges, functions, reward models.

    Raises:
        ConfigError: there is no judge among them, or a reward model that TRL calls before any judge
            can be asked.

    >>> def length(completions, **_):
    ...     return [float(len(text)) for text in completions]
    >>> class Away:
    ...     __name__, leads = "grm", True
    ...     def __call__(self, prompts, completions, **_):
    ...         return [None, 0.5]
    >>> for reward in abstaining([length, Away()]):
    ...     print(reward.__name__, reward(prompts=["p", "p"], completions=["x", "yy"]))
    length [None, 2.0]
    grm [None, 0.5]
    """
    judges = [reward for reward in reward_funcs if _leads(reward)]
    if not judges:
        raise ConfigError(
            "abstaining: expected a GRMReward or AsyncGRMReward among the rewards, got "
            f"{', '.join(map(host.name_of, reward_funcs)) or 'none'}"
        )
    panel = Panel(judges)
    first = [host.is_model(reward) for reward in reward_funcs].index(False)
    early = reward_funcs if panel.awaited else reward_funcs[:first]
    _refuse(filter(host.is_model, early), judges[0])
    # TRL loads a model that is named by a text, so it follows from the first call on
    return [reward if isinstance(reward, str) else panel.join(reward) for reward in reward_funcs]


def join(judge: Judge, call: Call) -> Member | None:
    """Make the rewards of the judge's trainer follow it, in the first call it gets from there.

    Returns:
        the member to call in place of the judge; None when the judge can go on by itself: it was
        called by a member, is the only reward, or leaves the others alone. Async judges are held
        by TRL already when the first of them joins all, so each is called itself once more.

    Raises:
        ConfigError: a reward had its turn before the judge; says what to write.
    """
    rewards = host.reward_funcs(call)
    if len(rewards) < 2 or not judge.leads:
        return None
    member = next((one for one in rewards if isinstance(one, Member) and one.reward is judge), None)
    if member is None and not any(one is judge for one in rewards):
        return None
    panel = member.panel if member else Panel(list(filter(_leads, rewards)))
    first = [one is judge or panel.has(one) for one in rewards].index(True)
    early = rewards if panel.awaited else rewards[:first]
    # async judges wait for each other, whoever is asked first; a sync one can not wait
    peers = panel.judges if all(map(host.is_async, panel.judges)) else (judge,)
    _refuse((one for one in early if not (panel.has(one) or _among(one, peers))), judge)
    for place, reward in enumerate(rewards):
        if not panel.has(reward):
            rewards[place] = panel.join(reward)
    if member:
        return member if panel.is_late(judge) else None
    panel.await_calls_of(one for one in peers if one is not judge)
    joined: Member = rewards[first]
    return joined


def is_hidden(judge: Any, call: Call) -> bool:
    """Whether another reward calls this one, so that the rest can not be told to follow it."""
    rewards = host.reward_funcs(call)
    return judge.leads and len(rewards) > 1 and not any(_own(one) is judge for one in rewards)


def _among(reward: Any, others: Iterable[Any]) -> bool:
    return any(one is reward for one in others)


def _own(reward: Any) -> Any:
    while isinstance(reward, Member):
        reward = reward.reward
    return reward


def _leads(reward: Any) -> bool:
    return getattr(reward, "leads", False) is True


def _refuse(rewards: Iterable[Any], judge: Judge) -> None:
    if names := ", ".join(repr(host.name_of(reward)) for reward in rewards):
        raise ConfigError(
            f"reward_funcs: TRL asks {names} before the judge {judge.__name__!r}, too early to "
            "abstain on what the judge leaves unscored; put a GRMReward first (in reward_weights, "
            "too), or write reward_funcs=grm_trl.abstaining([...]) where these are functions; with "
            "others: train they go on without the judge"
        )
