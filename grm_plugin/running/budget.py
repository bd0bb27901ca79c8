"""Keeps what a run spends on its judge within a budget, and loses nothing that is paid for.

Before the judge is asked about a group, what the group may cost at most is set aside; what comes
back settles it. So the budget is never passed, as long as servers write no more than they were
asked for and tell what they count. What was asked and brought no answer, because it was cancelled,
counts as the most. A group that can not be paid for waits for those under way, and
if what they leave is not enough, the run ends: nothing is under way then, so nothing is lost.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter, deque
from functools import partial
from typing import Self

from grm_plugin.errors import BudgetError
from grm_plugin.prices import Amount, BudgetLimits, told
from grm_plugin.running.waiting import Waiting
from grm_plugin.types import Cost


class Budget:
    """What a run has spent and may still spend; from any thread.

    Groups begin in the order in which they came: of a stream that the budget ends, all that was
    paid for stands before what was not.

    Args:
        limits: None: everything is allowed.
    """

    def __init__(self, limits: BudgetLimits | None) -> None:
        self._limits = limits
        self._spent = Amount()
        self._under_way: set[Allowance] = set()
        self._queue: deque[Waiting] = deque()
        self._ended = ""
        self._lock = threading.RLock()

    def again(self) -> Budget:
        """One for a forked process, in which nobody is under way: what was spent is spent."""
        budget = Budget(self._limits)
        budget._spent = self._spent
        return budget

    @property
    def limits(self) -> BudgetLimits | None:
        """What may be spent; None: everything is allowed."""
        return self._limits

    @property
    def spent(self) -> Amount:
        """What is spent, and told."""
        return self._spent

    def spend(self, cost: Cost) -> None:
        """Count what an earlier part of the run cost."""
        tokens = cost.prompt_tokens + cost.output_tokens
        with self._lock:
            self._spent = self._spent.plus(Amount(tokens, cost.money or 0.0, cost.flops or 0.0))

    def allowance(self) -> Allowance:
        """For one group; to be made in the order of the groups."""
        return Allowance(self)

    def beside(self) -> Allowance:
        """For what is judged beside a group, and may be left out: it waits for nobody."""
        return Allowance(self, waits=False)

    def forget(self) -> None:
        """Nobody is under way any more: their event loop is lost. What they told is counted."""
        with self._lock:
            for one in self._under_way:
                self._spent = self._spent.plus(one.unanswered)
            self._under_way.clear()
            self._queue.clear()

    def _join(self, waiting: Waiting) -> None:
        with self._lock:
            self._queue.append(waiting)

    def _leave(self, one: Allowance, waiting: Waiting) -> None:
        with self._lock:
            if one in self._under_way:
                self._under_way.remove(one)
                self._spent = self._spent.plus(one.unanswered)
            if waiting in self._queue:
                self._queue.remove(waiting)
            self._wake()

    def _wake(self) -> None:
        """Let the first look again, or everybody where there is nothing to wait for any more."""
        for waiting in list(self._queue) if self._ended else list(self._queue)[:1]:
            waiting.wake()

    def _begin(self, one: Allowance, waiting: Waiting, most: Amount, group: str) -> bool:
        """Whether ``one`` may begin now; raises BudgetError when it never will."""
        with self._lock:
            if self._ended:
                raise BudgetError(self._ended)
            if not self._queue or self._queue[0] is not waiting:
                return False
            if self._allows(most):
                self._queue.popleft()
                one.held = most
                self._under_way.add(one)
                self._wake()
                return True
            if self._under_way:
                return False
            self._ended = self._told(most, group)
            self._wake()
            raise BudgetError(self._ended)

    def _beside(self, one: Allowance, most: Amount, group: str) -> None:
        with self._lock:
            if self._ended or not self._allows(most):
                raise BudgetError(self._ended or self._told(most, group))
            one.held = most
            self._under_way.add(one)

    def _more(self, one: Allowance, most: Amount) -> bool:
        with self._lock:
            if not self._allows(most):
                return False
            one.held = one.held.plus(most)
            return True

    def _ask(self, one: Allowance, most: Amount, n: int) -> None:
        with self._lock:
            one.asked[most] += n

    def _refused(self, one: Allowance, most: Amount) -> None:
        with self._lock:
            one.held = one.held.less(most.times(one.asked.pop(most, 0)))

    def _settle(self, one: Allowance, most: Amount, spent: Amount) -> None:
        with self._lock:
            if one not in self._under_way:  # its group is over, and what it asked is counted
                return
            one.asked[most] -= 1
            one.held = one.held.less(most)
            self._spent = self._spent.plus(spent)
            self._wake()

    def _allows(self, more: Amount) -> bool:
        """Whether all that is under way can cost the most, and ``more`` beside it."""
        return not self._short(more)

    def _short(self, more: Amount) -> str:
        """Which limit ``more`` might pass; empty when none."""
        worst = self._spent.plus(more)
        for one in self._under_way:
            worst = worst.plus(one.held)
        limits = self._limits.told if self._limits else {}
        return next((name for name in limits if getattr(worst, name) > limits[name]), "")

    def _told(self, most: Amount, group: str) -> str:
        short = self._short(most)
        limit, spent = getattr(self._limits, short), getattr(self._spent, short)
        say = partial(told, short)
        return (
            f"budget.{short}: {say(spent)} of {say(limit)} is spent and "
            f"{say(max(0, limit - spent))} is left, and group {group} may cost up to "
            f"{say(getattr(most, short))}; raise budget.{short}, or lower k or max_tokens"
        )


class Allowance:
    """What one group may spend; a context that gives back what is left of it.

    Args:
        budget: that it is a part of; None: everything is allowed.
        waits: for its turn; else it begins at once or not at all, and the run goes on.
    """

    def __init__(self, budget: Budget | None = None, *, waits: bool = True) -> None:
        self._waits = waits
        self._budget = budget if budget and budget.limits else None
        self._waiting = Waiting()
        self.held = Amount()
        self.asked = Counter[Amount]()

    @property
    def limited(self) -> bool:
        """Whether it has to be asked for."""
        return self._budget is not None

    @property
    def unanswered(self) -> Amount:
        """The most that those may cost that were asked, and of which nothing is known."""
        total = Amount()
        for most, n in self.asked.items():
            total = total.plus(most.times(max(0, n)))
        return total

    def __enter__(self) -> Self:
        if self._budget and self._waits:
            self._budget._join(self._waiting)
        return self

    def __exit__(self, *_: object) -> None:
        if self._budget:
            self._budget._leave(self, self._waiting)

    async def take(self, most: Amount, group: str) -> None:
        """Set ``most`` aside, when those before have begun and the budget allows it.

        Raises:
            BudgetError: it does not, and nothing is under way that could leave anything, or this
                one does not wait.
        """
        if self._budget is None:
            return
        if not self._waits:
            self._budget._beside(self, most, group)
            return
        self._waiting.turn = asyncio.get_running_loop().create_future()
        while not self._budget._begin(self, self._waiting, most, group):
            await self._waiting.turn
            self._waiting.turn = asyncio.get_running_loop().create_future()

    def add(self, most: Amount) -> bool:
        """Set more aside, if the budget allows it now."""
        return self._budget is None or self._budget._more(self, most)

    def ask(self, most: Amount, n: int) -> None:
        """``n`` draws are asked for, each of which may cost ``most``; to be settled one by one."""
        if self._budget:
            self._budget._ask(self, most, n)

    def refused(self, most: Amount) -> None:
        """A draw was refused unread, as too long: so are the others of the same length."""
        if self._budget:
            self._budget._refused(self, most)

    def settle(self, most: Amount, spent: Amount) -> None:
        """Of what was set aside, ``most`` is over, and cost ``spent``."""
        if self._budget:
            self._budget._settle(self, most, spent)
