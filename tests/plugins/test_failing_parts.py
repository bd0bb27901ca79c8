"""A part that raises, exits, blocks, hangs or gives nonsense costs its group, within a deadline."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from grm_plugin import GRM, Group, hookimpl
from grm_plugin.errors import EngineError, GRMError, PluginError
from tests.plugins import failing_parts
from tests.plugins.failing_parts import AWAITED, HANGS, HOW, LIVES, PLAIN, RELEASED, WORD, settings

SOON = {"group_timeout_s": 1.5, "batch_timeout_s": 1.5}
LIMIT_S = 10
BAD, GOOD = (Group.of(f"something {word}?", ["a", "b"], id=word) for word in (WORD, "good"))
CALLS = [
    *((kind, how) for kind in PLAIN for how in HOW),
    *((kind, how) for kind in AWAITED for how in (*HOW, HANGS)),
]


@pytest.fixture(autouse=True)
def released() -> Iterator[None]:
    RELEASED.clear()
    yield
    RELEASED.set()


def within(work: Callable[[], Any]) -> Any:
    """What ``work`` gives, or its error; it must not take longer than ten seconds."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as error:
            outcome.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(LIMIT_S)
    assert outcome, f"still running after {LIMIT_S} s"
    return outcome[0]


def name_of(kind: str) -> str:
    """How messages call the part; a classifier belongs to the meta RM."""
    return "selector 'meta_rm'" if kind == "classifier" else kind


def judge(kind: str, **failing: Any) -> GRM:
    return GRM(plugins=[failing_parts], **settings(kind, **failing), **SOON)


@pytest.mark.parametrize(("kind", "how"), CALLS)
def test_a_failing_part_costs_its_group_and_is_named(kind: str, how: str) -> None:
    grm = judge(kind, how=how)
    bad, good = within(lambda: grm.score_batch([BAD, GOOD]))
    assert bad.rewards is None and "refused" not in bad.unscored
    assert (name_of(kind) if (kind, how) != ("engine", HANGS) else "1 timeout") in bad.unscored
    assert good.scored or (how == "blocks" and name_of(kind) in good.unscored)
    assert within(lambda: grm.score(GOOD)).scored
    within(grm.close)


@pytest.mark.parametrize("how", [*HOW[:-1], HANGS])
@pytest.mark.parametrize("kind", LIVES)
def test_a_part_that_does_not_start_is_named_and_nobody_waits_for_it(kind: str, how: str) -> None:
    grm = judge(kind, how=how, when="start")
    found = within(lambda: grm.score(GOOD))
    assert isinstance(found, EngineError) or how == "blocks"
    assert name_of(kind) in (str(found) if isinstance(found, EngineError) else found.unscored)
    RELEASED.set()
    within(grm.close)


@pytest.mark.parametrize("how", [*HOW[:-1], HANGS])
@pytest.mark.parametrize("kind", LIVES)
def test_a_part_that_does_not_close_is_named_and_nobody_waits_for_it(kind: str, how: str) -> None:
    grm = judge(kind, how=how, when="close")
    assert within(lambda: grm.score(GOOD)).scored
    found = within(grm.close)
    assert isinstance(found, PluginError) and name_of(kind) in str(found)


@pytest.mark.parametrize("how", ["raises", "exits"])
@pytest.mark.parametrize("kind", [*PLAIN, *AWAITED])
def test_a_part_that_can_not_be_made_is_named_before_anything_starts(kind: str, how: str) -> None:
    found = within(lambda: judge(kind, how=how, when="make"))
    assert isinstance(found, GRMError) and f"{kind} 'broken' can not be made" in str(found)


def test_a_selector_that_changes_scores_is_found_out() -> None:
    liar = {**settings("engine"), "select": {"name": "liar", "how": "wrong"}}
    with GRM(plugins=[failing_parts], **liar, **SOON) as grm:
        bad, good = grm.score_batch([BAD, GOOD])
    assert good.scored
    assert "selector 'liar'" in bad.unscored and "changed" in bad.unscored


def test_a_stream_names_the_part_that_blocks_it_in_every_verdict_and_goes_on() -> None:
    grm = judge("voter", how="blocks")
    found = within(lambda: list(grm.score_many([GOOD, BAD])))
    lost = [one for one in found if not one.scored]
    assert lost and all("voter '{name: broken" in one.unscored for one in lost)
    assert within(lambda: grm.score(GOOD)).scored
    within(grm.close)


async def test_callers_with_a_loop_of_their_own_hear_of_a_failing_part_too() -> None:
    for how in ("exits", "blocks", HANGS):
        grm = judge("evidence source", how=how)
        verdict = await grm.score_async(BAD)
        assert "evidence source 'broken'" in verdict.unscored
        RELEASED.set()
        grm.close()
        RELEASED.clear()


# observers


class Observer:
    def __init__(self, how: str) -> None:
        self.how, self.seen = how, []

    @hookimpl
    def grm_on_verdict(self, verdict):
        failing_parts.fail(self.how)
        self.seen.append(verdict)


@pytest.mark.parametrize("how", ["raises", "exits", "interrupts", "blocks"])
def test_an_observer_that_fails_costs_nothing_and_no_other_observer(how: str, caplog) -> None:
    broken, sound = Observer(how), Observer("works")
    grm = GRM(plugins=[failing_parts, broken, sound], **settings("engine"), **SOON)
    assert all(one.scored for one in within(lambda: grm.score_batch([GOOD] * 20)))
    within(grm.close)
    assert len(sound.seen) == 20
    assert "grm_on_verdict" in caplog.text


def test_what_an_observer_is_too_slow_for_is_told_once(caplog) -> None:
    from grm_plugin.running.observing import Observers

    observers = Observers([("slow", lambda verdict: RELEASED.wait(30))], most=3)
    for _ in range(10):
        observers.tell(None)
    assert caplog.text.count("too slow") == 1
    started = time.monotonic()
    observers.close(0.2)
    assert time.monotonic() - started < 5
