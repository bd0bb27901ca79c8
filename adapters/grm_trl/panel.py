"""The rewards of a trainer that abstain as one; :mod:`grm_trl.joining` brings them together."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from grm_plugin.errors import ConfigError
from grm_trl import host

Call = Mapping[str, Any]  # keywords of a reward call, prompts and completions among them


class Judge(Protocol):
    """A reward whose None may count for the others; one reward or None per completion."""

    __name__: str

    @property
    def leads(self) -> bool:
        """Whether the others give None where this one does."""

    def __call__(self, *args: Any, **trl: Any) -> Any:
        """Rewards, awaited or not."""


@dataclass(frozen=True)
class Judged:
    """The rewards of every judge for one round."""

    rewards: tuple[Sequence[float | None], ...]

    @cached_property
    def unscored(self) -> frozenset[int]:
        """Completions that lack the reward of some judge."""
        return frozenset(
            i for row in self.rewards for i, reward in enumerate(row) if reward is None
        )

    def hide(self, rewards: Iterable[Any]) -> list[Any]:
        """``rewards`` with None for the completions that are unscored."""
        return [None if i in self.unscored else reward for i, reward in enumerate(rewards)]


@dataclass
class _Round:
    """The calls of all rewards with the same completions; they are kept, so that ``id`` holds."""

    completions: Sequence[Any]
    judged: Future[Judged] = field(default_factory=Future)
    asked: int = 0


_ASKING: ContextVar[Panel | None] = ContextVar("asking", default=None)


class Panel:
    """Some judges and the rewards that follow them; for any number of threads.

    In a round the judges are asked once, by whichever member is called first.

    Args:
        judges: where one of them has no reward, no member gives one.
    """

    def __init__(self, judges: Sequence[Judge]) -> None:
        self.judges = tuple(judges)
        self._members = 0
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._rounds: dict[int, _Round] = {}
        self._latest = Judged(())
        self._models: list[Any] = []
        self._late: list[Judge] = []

    def __getstate__(self) -> dict[str, Any]:
        return {"judges": self.judges, "_members": self._members}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._begin()

    @property
    def awaited(self) -> bool:
        """Whether a judge is async, and so called after everything that is not."""
        return any(map(host.is_async, self.judges))

    def await_calls_of(self, judges: Iterable[Judge]) -> None:
        """Know that TRL goes to call these async judges themselves once more: it already holds
        them, and not yet the members that stand for them."""
        self._late += judges

    def is_late(self, judge: Judge) -> bool:
        """Whether this is that call of ``judge``, and not one of this panel; true once."""
        late = _ASKING.get() is not self and any(one is judge for one in self._late)
        if late:
            self._late = [one for one in self._late if one is not judge]
        return late

    def has(self, reward: Any) -> bool:
        """Whether ``reward`` is a member, or a reward model that follows."""
        if isinstance(reward, Member):
            return reward.panel is self
        return any(reward is model for model in self._models)

    def join(self, reward: Any) -> Any:
        """What stands for ``reward`` from now on: a member; a model follows as it is."""
        if host.is_model(reward):
            self._models.append(reward)
            reward.register_forward_hook(self._hide_logits)
            return reward
        self._members += 1
        if not self.awaited and not host.is_async(reward):
            return Member(reward, self)
        return AwaitedMember(reward, self)

    def _hide_logits(self, model: Any, inputs: Any, output: Any) -> None:
        """TRL calls a reward model itself, and reads the logits that come out."""
        if not self._latest.rewards:
            return  # no round yet, so it is not TRL who calls
        judge, expected = self.judges[0].__name__, len(self._latest.rewards[0])
        if len(output.logits) != expected:
            raise ConfigError(
                f"reward model {host.name_of(model)!r}: expected one call for the {expected} "
                f"completions that the judge {judge!r} has seen, got {len(output.logits)} rows; "
                "with others: train the model goes on without the judge"
            )
        output.logits[sorted(self._latest.unscored)] = float("nan")

    def judged(self, call: Call) -> Judged:
        """The rewards of the judges in the round of ``call``.

        Raises what a judge raises.
        """
        current, first = self._entered(call["completions"])
        if first:
            try:
                self._settle(current, [judge(**call) for judge in self.judges])
            except BaseException as error:  # whatever it is, other threads wait for it
                current.judged.set_exception(error)
                raise
        return current.judged.result()

    async def judged_async(self, call: Call) -> Judged:
        """:meth:`judged` where a judge is async."""
        current, first = self._entered(call["completions"])
        if first:
            asking = _ASKING.set(self)  # the tasks of the judges see it
            try:
                answers = [judge(**call) for judge in self.judges]  # in one order on all ranks
                self._settle(current, await asyncio.gather(*map(_awaited, answers)))
            except BaseException as error:
                current.judged.set_exception(error)
                raise
            finally:
                _ASKING.reset(asking)
        return await asyncio.wrap_future(current.judged)

    def _entered(self, completions: Sequence[Any]) -> tuple[_Round, bool]:
        """The round with these completions, and whether it begins; the last to ask ends it."""
        with self._lock:
            current = self._rounds.setdefault(id(completions), _Round(completions))
            current.asked += 1
            if current.asked >= self._members:
                del self._rounds[id(completions)]
            return current, current.asked == 1

    def _settle(self, current: _Round, rewards: Sequence[Any]) -> None:
        self._latest = Judged(tuple(rewards))
        current.judged.set_result(self._latest)


class Member:
    """A reward of a panel, under its own name."""

    def __init__(self, reward: Any, panel: Panel) -> None:
        self.reward, self.panel = reward, panel
        self.__name__ = host.name_of(reward)
        self._place = next((i for i, one in enumerate(panel.judges) if one is reward), None)

    @property
    def leads(self) -> bool:
        """Whether it is a judge; then the rewards of a panel around this one follow it, too."""
        return self._place is not None

    def __repr__(self) -> str:
        return f"abstaining({self.reward!r})"

    def __call__(self, prompts: Sequence[Any], completions: Sequence[Any], **trl: Any) -> Any:
        """The reward's own answers, with None where a judge gives None."""
        call = {"prompts": prompts, "completions": completions, **trl}
        judged = self.panel.judged(call)
        own = self.reward(**call) if self._place is None else judged.rewards[self._place]
        return judged.hide(own)


class AwaitedMember(Member):
    """A member that is awaited, because its reward or a judge is."""

    async def __call__(self, prompts: Sequence[Any], completions: Sequence[Any], **trl: Any) -> Any:
        """:meth:`Member.__call__`, awaited; the judges and the reward work at the same time."""
        call = {"prompts": prompts, "completions": completions, **trl}
        own = None if self._place is not None else self.reward(**call)
        judged, answers = await asyncio.gather(self.panel.judged_async(call), _awaited(own))
        return judged.hide(answers if self._place is None else judged.rewards[self._place])


async def _awaited(answer: Any) -> Any:
    return await answer if inspect.isawaitable(answer) else answer
