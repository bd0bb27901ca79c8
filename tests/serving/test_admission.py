"""Who gets how much: bounded for all together, and shared fairly when it is scarce."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.serving.admission import Admission, Quota
from grm_plugin.serving.errors import Busy, TooLarge, Unavailable
from grm_plugin.serving.settings import ServingSettings


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def quota(size: int = 100, **more: object) -> Quota:
    return Quota("groups", size, "queue", **more)  # type: ignore[arg-type]


def test_one_caller_alone_may_have_everything_and_not_more() -> None:
    it = quota()
    it.take("a", 100)
    with pytest.raises(Busy, match=r"no room for 1 more groups: 100 of at most 100 are in.*queue"):
        it.take("a")
    assert it.taken == 100


def test_what_does_not_fit_is_not_taken_in_part() -> None:
    it = quota(10)
    it.take("a", 7)
    with pytest.raises(Busy):
        it.take("b", 4)
    it.take("b", 3)
    assert it.taken == 10


@pytest.mark.parametrize(("each", "setting"), [(None, "queue"), (6, "queue_per_caller")])
def test_what_can_never_fit_is_refused_for_good(each: int | None, setting: str) -> None:
    it = quota(10, each=each)
    lease = it.lease("a", 5)
    for ask in (lease.grow, lease.check):
        with pytest.raises(TooLarge, match=rf"got 11 in one; send less .* raise {setting}$"):
            ask(6)
    with pytest.raises(TooLarge):
        it.lease("b", 11)
    assert it.taken == 5


def test_a_caller_has_at_most_what_a_setting_gives_each() -> None:
    it = quota(each=5)
    it.take("a", 5)
    with pytest.raises(Busy, match=r"'a' has 5 of at most 5 in; .* raise queue_per_caller"):
        it.take("a")
    it.take("b", 5)


def test_when_it_becomes_scarce_a_caller_with_its_share_leaves_the_rest_to_others() -> None:
    it = quota()
    it.take("big", 74)
    it.take("small", 1)
    with pytest.raises(Busy, match="'big' has 74 in, and 50 is its share while others ask too"):
        it.take("big")
    it.take("small", 25)
    assert it.taken == 100


def test_a_caller_that_was_refused_gets_the_next_room_though_another_asks_first() -> None:
    clock = Clock()
    it = quota(clock=clock)
    it.take("big", 100)
    with pytest.raises(Busy):
        it.take("small")
    it.give_back("big", 1)
    with pytest.raises(Busy, match="share"):
        it.take("big")
    it.take("small")
    it.give_back("small")
    clock.now = 20
    it.take("big")


def test_a_lease_gives_back_all_it_grew_to_and_only_once() -> None:
    it = quota()
    with it.lease("a", 2) as lease:
        lease.grow(3)
        assert it.taken == 5
        lease.end()
        assert it.taken == 0
    assert it.taken == 0


def test_bytes_that_do_not_fit_are_told_as_unavailable_and_not_as_too_many_calls() -> None:
    admission = Admission.of(ServingSettings(max_held_bytes=10))
    with pytest.raises(Unavailable, match=r"no room for 11 more bytes.*max_held_bytes"):
        admission.held_bytes.take("a", 11)


ACTS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 40), st.booleans()), max_size=60)


@given(ACTS)
def test_whatever_callers_do_the_sum_holds_and_nobody_is_starved(
    acts: list[tuple[str, int, bool]],
) -> None:
    clock = Clock()
    it = quota(clock=clock)
    held = dict.fromkeys("abc", 0)
    for caller, amount, takes in acts:
        clock.now += 0.1
        if not takes and held[caller] >= amount:
            it.give_back(caller, amount)
            held[caller] -= amount
        elif takes:
            try:
                it.take(caller, amount)
            except Busy:
                fits = it.taken + amount <= it.size
                assert not fits or held[caller] + amount > it.size / 3
            else:
                held[caller] += amount
        assert it.taken == sum(held.values()) <= it.size
