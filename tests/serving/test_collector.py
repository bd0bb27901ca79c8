"""Responses that arrive one by one become groups: whole, once, and never waiting for ever."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.serving.admission import Admission
from grm_plugin.serving.callers import Caller
from grm_plugin.serving.collector import Collector
from grm_plugin.serving.errors import Busy, Conflict
from grm_plugin.serving.gathering import Arrival, Gathering, Seat
from grm_plugin.serving.settings import ServingSettings
from grm_plugin.types import Message

FLUSH_S, REMEMBER_S = 10.0, 100.0
CALLER = Caller("somebody", "1")


def collector(size: int = 100) -> Collector:
    return Collector(
        Admission.of(ServingSettings(queue=size)), flush_s=FLUSH_S, remember_s=REMEMBER_S
    )


def arrival(
    text: str, index: int | None = None, *, group: str = "g", size: int = 2, prompt: str = "q"
) -> Arrival:
    return Arrival(group, size, (Message("user", prompt),), text, CALLER, index=index, name=group)


def unnamed(text: str, *, size: int = 2) -> Arrival:
    """A response whose caller sends no id: equal prompts are taken for one group."""
    return Arrival("q", size, (Message("user", "q"),), text, CALLER)


def texts(gathering: Gathering) -> list[str]:
    return [one.response for one in gathering.arrivals]


def test_a_group_is_ready_as_soon_as_its_last_response_is_there_and_once_only() -> None:
    it = collector()
    it.add(arrival("a"), 0)
    assert it.take_ready(1) == []
    it.add(arrival("b"), 1)
    (ready,) = it.take_ready(1)
    assert texts(ready) == ["a", "b"]
    assert not ready.partial
    assert it.take_ready(1) == []


def test_a_group_waits_flush_s_from_its_first_response_and_no_longer() -> None:
    it = collector()
    it.add(arrival("a", size=3), 0)
    it.add(arrival("b", size=3), 9)
    assert it.next_due == FLUSH_S
    assert it.take_ready(9.9) == []
    (ready,) = it.take_ready(10)
    assert ready.partial
    assert it.next_due is None


def test_groups_that_come_at_the_same_time_are_kept_apart() -> None:
    it = collector()
    for text in ("a", "b"):
        for group in ("g", "h"):
            it.add(arrival(f"{group}{text}", group=group), 0)
    assert [texts(one) for one in it.take_ready(0)] == [["ga", "gb"], ["ha", "hb"]]


@given(st.permutations(range(5)))
def test_the_order_of_arrival_changes_nothing(order: list[int]) -> None:
    named, unnamed = collector(), collector()
    for index in order:
        named.add(arrival(f"text {-index}", index, size=5), 0)
        unnamed.add(arrival(f"text {index}", size=5), 0)
    assert texts(named.take_ready(0)[0]) == [f"text {-index}" for index in range(5)]
    assert texts(unnamed.take_ready(0)[0]) == [f"text {index}" for index in range(5)]


def test_a_sample_that_is_sent_again_keeps_its_seat_open_judged_or_answered() -> None:
    it = collector()
    seat = it.add(arrival("a", 0), 0)
    assert it.add(arrival("a", 0), 0) is seat
    it.add(arrival("b", 1), 0)
    (ready,) = it.take_ready(0)
    assert it.add(arrival("a", 0), 1) is seat
    it.settle(ready, 2)
    it.leave(seat, 0, answered=True)
    assert it.add(arrival("a", 0), 3) is seat
    assert it.take_ready(200) == []


def test_equal_texts_of_two_callers_are_two_responses() -> None:
    it = collector()
    first, second = it.add(unnamed("a"), 0), it.add(unnamed("a"), 0)
    assert first is not second
    assert texts(it.take_ready(0)[0]) == ["a", "a"]


def test_a_text_whose_caller_has_gone_is_the_same_response_when_it_comes_again() -> None:
    it = collector()
    seat = it.add(arrival("a"), 0)
    it.leave(seat, 0, answered=False)
    assert it.add(arrival("a"), 1) is seat
    assert it.take_ready(1) == []


def test_an_answer_whose_caller_has_gone_waits_for_it() -> None:
    it = collector()
    seat, other = it.add(arrival("a"), 0), it.add(arrival("b"), 0)
    (ready,) = it.take_ready(0)
    it.leave(seat, 0, answered=False)
    it.settle(ready, 1)
    it.leave(other, 0, answered=True)
    assert it.add(arrival("a"), 2) is seat


def test_without_an_id_an_answered_text_that_comes_again_begins_a_new_group() -> None:
    it = collector()
    seats = [it.add(unnamed(text), 0) for text in "ab"]
    it.settle(it.take_ready(0)[0], 1)
    for seat in seats:
        it.leave(seat, 0, answered=True)
    assert it.add(unnamed("a"), 2) not in seats


def test_with_an_id_an_answered_text_of_a_whole_group_is_the_same_response_again() -> None:
    it = collector()
    seats = [it.add(arrival(text), 0) for text in "ab"]
    it.settle(it.take_ready(0)[0], 1)
    for seat in seats:
        it.leave(seat, 1, answered=True)
    assert it.add(arrival("a"), 2) is seats[0]


def test_without_an_id_an_abandoned_text_is_known_again_for_half_a_minute() -> None:
    it = collector()
    seats = [it.add(unnamed(text), 0) for text in "ab"]
    it.settle(it.take_ready(0)[0], 1)
    for seat in seats:
        it.leave(seat, 1, answered=False)
    assert it.add(unnamed("a"), 30) is seats[0]
    assert it.add(unnamed("b"), 31) is not seats[1]


def test_without_an_id_a_group_that_lacks_a_response_takes_none_of_the_next_step() -> None:
    it = collector()
    lost = it.add(unnamed("a"), 0)
    (first,) = it.take_ready(FLUSH_S)
    it.settle(first, FLUSH_S)
    it.leave(lost, FLUSH_S, answered=True)
    for step in range(1, 4):
        seats = [it.add(unnamed(f"{text} {step}"), FLUSH_S + step) for text in "ab"]
        (ready,) = it.take_ready(FLUSH_S + step)
        assert texts(ready) == [f"a {step}", f"b {step}"]
        assert [seat.place for seat in seats] == [0, 1]


def test_a_text_whose_group_got_no_answer_is_not_answered_from_it_later() -> None:
    it = collector()
    seats = [it.add(unnamed(text), 0) for text in "ab"]
    it.drop(it.take_ready(0)[0])
    it.leave(seats[0], 1, answered=False)
    assert it.add(unnamed("a"), 2) is not seats[0]


def test_with_an_id_a_response_that_comes_too_late_gets_a_seat_but_is_not_judged() -> None:
    it = collector()
    it.add(arrival("a"), 0)
    (ready,) = it.take_ready(FLUSH_S)
    late = it.add(arrival("b"), FLUSH_S + 1)
    assert late.gathering is ready
    assert late.place is None
    assert texts(ready) == ["a"]


def test_an_id_that_another_group_has_is_refused_and_not_guessed_at() -> None:
    it = collector()
    for index, text in enumerate("ab"):
        it.add(arrival(text, index), 0)
    it.settle(it.take_ready(0)[0], 0)
    with pytest.raises(
        Conflict, match=r"index 0 came before.* id of its own in every step, or sen"
    ):
        it.add(arrival("c", 0), 1)
    with pytest.raises(Conflict, match="expected 2 responses, got one more; give every group an"):
        it.add(arrival("c"), 1)
    it.add(arrival("c", 0), REMEMBER_S)


@pytest.mark.parametrize(
    ("second", "telling"),
    [
        (arrival("b", 1, size=3), "group 'g': expected size 2, as its first call said, got 3"),
        (arrival("b", 1, prompt="p"), "group 'g': expected the prompt and label of its first call"),
        (arrival("b", 0), "group 'g': sample index 0 came before with another response"),
    ],
)
def test_calls_that_contradict_each_other_are_refused(second: Arrival, telling: str) -> None:
    it = collector()
    it.add(arrival("a", 0), 0)
    with pytest.raises(Conflict, match=telling):
        it.add(second, 0)


def test_there_is_always_room_for_the_rest_of_a_group_that_is_in() -> None:
    it = collector(size=1)
    it.add(arrival("a"), 0)
    with pytest.raises(Busy, match="1 of at most 1 are in; ask again later"):
        it.add(arrival("x", group="h"), 0)
    it.add(arrival("b"), 0)
    it.settle(it.take_ready(0)[0], 0)
    it.add(arrival("x", group="h"), 0)


def test_a_group_without_an_answer_begins_anew_when_it_is_asked_for_again() -> None:
    it = collector()
    seats = [it.add(arrival(text, index), 0) for index, text in enumerate("ab")]
    it.drop(it.take_ready(0)[0])
    assert it.add(arrival("a", 0), 1) not in seats


def test_answered_groups_are_forgotten_after_a_while_and_when_they_become_too_many() -> None:
    it = collector(size=1)
    first = it.add(arrival("a", 0, size=1), 0)
    it.settle(it.take_ready(0)[0], 0)
    assert it.add(arrival("a", 0, size=1), REMEMBER_S - 1) is first
    second = it.add(arrival("a", 0, size=1), REMEMBER_S)
    assert second is not first
    it.settle(it.take_ready(REMEMBER_S)[0], REMEMBER_S)
    for n in range(4):
        it.add(arrival("x", 0, size=1, group=str(n)), REMEMBER_S)
        it.settle(it.take_ready(REMEMBER_S)[0], REMEMBER_S)
    assert it.add(arrival("a", 0, size=1), REMEMBER_S) is not second


def test_at_the_end_every_open_group_is_ready_as_it_is() -> None:
    it = collector()
    it.add(arrival("a"), 0)
    it.add(arrival("x", group="h"), 0)
    it.close_all()
    assert [texts(one) for one in it.take_ready(0)] == [["a"], ["x"]]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("call"), st.integers(0, 2), st.integers(0, 3)),
        st.tuples(st.just("leave"), st.integers(0, 30), st.booleans()),
        st.tuples(st.just("pass"), st.floats(0, 8), st.just(0)),
        st.tuples(st.just("answer"), st.booleans(), st.just(0)),
    ),
    max_size=60,
)


@given(STEPS)
def test_whatever_happens_no_sample_is_judged_twice_and_nothing_waits_for_ever(
    steps: list[tuple[str, float, int]],
) -> None:
    admission = Admission.of(ServingSettings(queue=100))
    it = Collector(admission, flush_s=FLUSH_S, remember_s=1e9)
    now, judged, pending, seats = 0.0, [], [], list[Seat]()
    began: dict[Gathering, float] = {}
    for what, one, two in steps:
        if what == "call":
            seat = it.add(arrival(f"text {two}", two, group=str(one), size=4), now)
            began.setdefault(seat.gathering, now)
            seats.append(seat)
        elif what == "leave" and seats:
            it.leave(seats.pop(int(one) % len(seats)), 0, answered=bool(two))
        elif what == "pass":
            now += one
        elif what == "answer" and pending:
            it.settle(pending.pop(), now)
        ready = it.take_ready(now)
        pending += ready
        judged += [(gathering.key, text) for gathering in ready for text in texts(gathering)]
        assert all(len(gathering.arrivals) <= gathering.size for gathering in ready)
        assert all(
            seat.gathering.open is False or began[seat.gathering] + FLUSH_S > now for seat in seats
        )
        assert admission.groups.taken == it.open_groups + len(pending)
    assert len(judged) == len(set(judged))
    assert all(seat.callers >= 1 for seat in seats)
    it.take_ready(now + FLUSH_S)
    assert it.next_due is None
