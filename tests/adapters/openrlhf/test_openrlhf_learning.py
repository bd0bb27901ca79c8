"""Rollout actors learn of the groups that others judge: a run has one threshold and one watch."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from functools import partial

import pytest

from grm_openrlhf.judging import GroupJudge
from grm_openrlhf.ledger import Ledger, RoundId
from grm_openrlhf.options import OpenRLHFOptions
from grm_openrlhf.reading import Rollout
from grm_openrlhf.rounds import Rounds
from grm_openrlhf.settings import RunSettings
from grm_plugin import GRM
from grm_plugin.engine import SampleRequest
from grm_plugin.errors import AlarmError
from grm_plugin.hosts import learning
from grm_plugin.hosts.counting import Tally
from grm_plugin.testing import ScriptedEngine
from grm_plugin.types import Group, Verdict
from tests.core.honest_judge import box, honest, noisy, qualities
from tests.core.honest_judge import grm as judge_of
from tests.core.honest_judge import group as judged_group
from tests.pipeline.scalar_rm import grm, group
from tests.watching.judges import two

GROUPS = 8  # of an actor in a round: too few audits to tell by themselves, and 16 are enough


class Actor:
    """A rollout actor without rollouts: a judge, its rounds, and what it hears."""

    def __init__(self, name: str, ledger: Ledger, judge: GRM) -> None:
        learning.begin(judge, None, 0)
        self.grm = judge
        self.ks: list[set[float]] = []  # of each round
        settings = RunSettings(config={}, groups_per_step=GROUPS)
        self._judge = GroupJudge(judge, OpenRLHFOptions(), settings)
        self.rounds = Rounds(
            ledger,
            name,
            training=True,
            hear=lambda shares: self._judge.hear(shares, name),
            groups_per_step=GROUPS,
        )

    async def judge(self, groups: Sequence[Group]) -> None:
        """A round: groups that are judged side by side, and then all that is heard of it."""
        loop = asyncio.get_running_loop()
        places = [self.rounds.enter(loop.create_future()) for _ in groups]
        asked = [
            [Rollout(group.conversation, one, None, True) for one in group.responses]
            for group in groups
        ]
        found = await asyncio.gather(*map(self._judge.score, asked, places))
        self.ks.append({one.logs["grm/k"] for scored in found for one in scored})
        await places[0].means()


def verdict(name: str) -> Verdict:
    return Verdict(Group.of(name, ["a"]), (0.5,))


async def heard(ledger: Ledger, *shares: tuple[str, int, str]) -> list[list[str]]:
    """The prompts that each actor hears of at the end of a round of its own."""
    ids = [RoundId(actor, number, training=True) for actor, number, _ in shares]
    for one in ids:
        await ledger.begin(one)
    ends = (
        ledger.end(one, Tally(), (verdict(name),))
        for one, (_, _, name) in zip(ids, shares, strict=True)
    )
    found = await asyncio.gather(*ends)
    return [
        [one.group.conversation[0].content for share in ended.shares for one in share.verdicts]
        for ended in found
    ]


async def test_each_actor_hears_once_of_every_round_of_all_in_one_order() -> None:
    ledger = Ledger()
    assert await heard(ledger, ("one", 1, "a"), ("two", 1, "b")) == [["a", "b"]] * 2
    assert await heard(ledger, ("two", 2, "c")) == [["c"]]
    assert await heard(ledger, ("one", 2, "d")) == [["c", "d"]]
    assert await heard(ledger, ("two", 3, "e")) == [["d", "e"]]


async def test_an_actor_that_begins_late_in_the_first_step_hears_of_all_of_it() -> None:
    ledger = Ledger(groups_per_step=2)
    assert await heard(ledger, ("one", 1, "a")) == [["a"]]
    assert await heard(ledger, ("two", 1, "b")) == [["a", "b"]]
    assert await heard(ledger, ("one", 2, "c")) == [["b", "c"]]
    assert await heard(ledger, ("three", 1, "d")) == [["d"]]  # it was not there before


async def test_nothing_is_kept_for_others_where_nobody_learns() -> None:
    ledger = Ledger()
    one, two = (RoundId(name, 1, training=True) for name in ("one", "two"))
    for begun in (one, two):
        await ledger.begin(begun)
    ends = await asyncio.gather(*(ledger.end(done, Tally()) for done in (one, two)))
    assert [ended.shares for ended in ends] == [(), ()]


async def actors(
    make: Callable[[], GRM], rounds: Iterable[Sequence[Group]], number: int = 2
) -> list[Actor]:
    """Those of a run that is over; each round is shared out among them."""
    with ExitStack() as stack:
        ledger = Ledger()
        made = [Actor(str(n), ledger, stack.enter_context(make())) for n in range(number)]
        for groups in rounds:
            shares = zip(made, (groups[n::number] for n in range(number)), strict=True)
            await asyncio.gather(*(one.judge(share) for one, share in shares))
        return made


async def test_audits_of_all_actors_raise_the_threshold_of_each() -> None:
    hacked = [group((2, 3), (9, -3), prompt=f"q{n}") for n in range(2 * GROUPS)]
    make = partial(grm, {"use": "cascade", "audit": 1}, k=8)
    (alone,) = await actors(make, [hacked[:GROUPS]], number=1)
    assert alone.grm.audits.state.threshold == 0.8  # too few to tell
    one, other = await actors(make, [hacked])
    assert one.grm.audits.state == other.grm.audits.state
    assert one.grm.audits.state.threshold == 1.0


def answers(step: int) -> list[Group]:
    draw = random.Random(step)
    qualities = [[draw.randint(2, 7) for _ in range(3)] for _ in range(2 * GROUPS)]
    return [judged_group(*one, prompt=f"step {step} {n}") for n, one in enumerate(qualities)]


def pleased(request: SampleRequest, i: int) -> str:
    """From step 12 on each response is worth 3 points more."""
    step = int(re.search(r"step (\d+)", request.messages[-1].content)[1])
    return box(quality + 3 * (step >= 12) for quality in qualities(request))


async def test_what_others_judged_is_watched_as_what_an_actor_judges_itself() -> None:
    watch = {"control": {"share": 1.0, "judge": {"engine": "second", "k": 2}}, "start": 5}

    def make() -> GRM:
        plugins = two(ScriptedEngine(pleased), ScriptedEngine(noisy))
        return GRM(plugins=plugins, engine="scripted", k=2, watch={**watch, "alarm": "stop"})

    for one in await actors(make, map(answers, range(12))):
        assert one.grm.watch.start.groups == 5 * 2 * GROUPS
        assert not one.grm.watch.alarms
    with pytest.raises(AlarmError, match="have begun to leave"):
        await actors(make, map(answers, range(16)))


async def test_where_rounds_overlap_audits_are_learned_of_after_each_step_of_groups() -> None:
    """As with prompts that are generated ahead: something is always under way."""
    hacked = [group((2, 3), (9, -3), prompt=f"q{n}") for n in range(2 * GROUPS)]
    with grm({"use": "cascade", "audit": 1}, k=8) as judge:
        actor = Actor("one", Ledger(), judge)
        actor.rounds.enter(asyncio.get_running_loop().create_future())  # it never ends
        judging = asyncio.create_task(actor.judge(hacked))
        async with asyncio.timeout(30):
            while judge.audits.state.threshold < 1.0:
                await asyncio.sleep(0.01)
        assert not judging.done()
        judging.cancel()


async def test_a_schedule_goes_by_the_groups_of_all_actors_and_k_grows_for_all_at_once() -> None:
    sizes = [{"k": 2}, {"k": 4}]
    schedule = {"by": "saturation", "sizes": sizes, "window": 1, "rise": 0.1}

    def asked(step: int) -> list[Group]:
        """Rewards of the first actor rise by 1 / 9 a round, and those of both by half of it."""
        points = (2 + step, 5)
        return [judged_group(points[n % 2], prompt=f"{step} {n}") for n in range(2 * GROUPS)]

    make = partial(judge_of, honest, schedule=schedule)
    (rises,) = await actors(make, [asked(step)[::2] for step in range(4)], number=1)
    assert rises.ks == [{2}] * 4
    for one in await actors(make, map(asked, range(4))):
        assert one.ks == [{2}, {2}, {4}, {4}]
