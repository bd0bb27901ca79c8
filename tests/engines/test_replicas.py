from __future__ import annotations

import pytest

from grm_plugin.errors import ConfigError
from grm_plugin.remote.refusing.faults import Away, Busy
from grm_plugin.remote.replicas import Replica
from grm_plugin.remote.routing import PIN_S, Router


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def a_router(count: int) -> tuple[Router, Clock]:
    clock = Clock()
    return Router(
        [Replica.at(f"http://host:{i}", "test") for i in range(count)], clock=clock
    ), clock


def picked(router: Router, group: str = "", **more: Replica) -> Replica:
    with router.lease(group, 1, **more) as replica:
        return replica


def fail(router: Router, replica: Replica, times: int = 3) -> None:
    for _ in range(times):
        router.failed(replica, "oops")


@pytest.mark.parametrize(
    ("url", "api", "root"),
    [
        ("http://h:1", "http://h:1/v1", "http://h:1"),
        ("http://h:1/v1/", "http://h:1/v1", "http://h:1"),
        ("https://h/v1beta/openai/", "https://h/v1beta/openai", "https://h"),
    ],
)
def test_an_address_may_carry_its_version(url: str, api: str, root: str) -> None:
    replica = Replica.at(url, "test")
    assert replica.to("/v1/models") == f"{api}/models"
    assert replica.to("/tokenize") == f"{root}/tokenize"


def test_an_address_that_is_none_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match=r"expected a URL such as .* got 'localhost:8001'"):
        Replica.at("localhost:8001", "engine 'server'")


def test_a_password_in_an_address_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigError, match="must not carry a user or password") as caught:
        Replica.at("http://me:hunter2@host", "engine 'server'")
    assert "hunter2" not in str(caught.value)


def test_the_least_loaded_replica_is_picked() -> None:
    router, _ = a_router(2)
    with router.lease("", 8) as first, router.lease("", 2) as second:
        assert second is not first
        assert picked(router) is second


def test_equal_replicas_take_turns() -> None:
    router, _ = a_router(3)
    assert {picked(router) for _ in range(3)} == set(router.replicas)


def test_a_group_stays_with_its_replica_while_in_flight_and_a_minute_longer() -> None:
    router, clock = a_router(2)
    with router.lease("g", 8) as first:
        clock.now += 10 * PIN_S
        assert picked(router, "g") is first
    clock.now += PIN_S - 1
    assert picked(router, "g") is first
    clock.now += PIN_S + 1
    assert picked(router, "g") is not first


def test_old_pins_are_forgotten() -> None:
    router, clock = a_router(2)
    for i in range(50):
        picked(router, f"g{i}")
    clock.now += PIN_S + 1
    picked(router, "last")
    assert len(router._pins) == 1


def test_a_retry_goes_elsewhere_and_takes_its_group_along() -> None:
    router, _ = a_router(2)
    first = picked(router, "g")
    second = picked(router, "g", avoid=first)
    assert second is not first
    assert picked(router, "g") is second


def test_three_faults_in_a_row_put_a_replica_aside() -> None:
    router, _ = a_router(2)
    bad, good = router.replicas
    fail(router, bad, 2)
    router.answered(bad)
    fail(router, bad, 2)
    assert bad in {picked(router) for _ in range(2)}
    fail(router, bad, 1)
    assert {picked(router) for _ in range(4)} == {good}


def test_one_request_probes_a_replica_and_the_pause_grows() -> None:
    router, clock = a_router(2)
    bad, good = router.replicas
    fail(router, bad, 30)
    clock.now += 1.1
    assert [picked(router) is bad for _ in range(4)].count(True) == 1
    fail(router, bad)
    clock.now += 1.1
    assert {picked(router) for _ in range(4)} == {good}
    clock.now += 1
    assert bad in {picked(router) for _ in range(2)}


def test_a_probe_that_is_answered_brings_the_replica_back() -> None:
    router, clock = a_router(2)
    bad, _ = router.replicas
    fail(router, bad)
    clock.now += 1.1
    picked(router), picked(router)
    router.answered(bad)
    assert [picked(router) for _ in range(4)].count(bad) == 2


def test_with_all_replicas_aside_the_one_due_first_is_tried() -> None:
    router, clock = a_router(2)
    first, second = router.replicas
    fail(router, first)
    clock.now += 0.5
    fail(router, second)
    assert picked(router) is first


def test_load_returns_to_zero_even_when_requests_fail() -> None:
    router, _ = a_router(1)
    with pytest.raises(RuntimeError), router.lease("g", 5):
        raise RuntimeError
    assert router.replicas[0].load == 0


def test_a_replica_that_is_not_there_is_waited_for_and_asked_now_and_then_by_one_request() -> None:
    router, clock = a_router(1)
    (only,) = router.replicas
    pauses = []
    for _ in range(6):
        router.away(only, Away("connection refused"))
        pauses.append(router.due_s())
        clock.now += router.due_s() + 0.01
        assert router.due_s() == 0.0
        assert picked(router) is only  # the probe
        assert router.due_s() > 0  # of which the others await the answer
    assert pauses[0] == 1.0
    assert max(pauses) <= 5.0
    assert router.answered(only, clock.now)
    assert (router.due_s(), router.waits()) == (0.0, None)


def test_a_busy_replica_rests_as_long_as_it_says_and_is_no_failing_one() -> None:
    router, clock = a_router(1)
    (only,) = router.replicas
    assert router.busy(only, Busy("HTTP 429", 7.0), sent_at=clock.now)
    assert router.due_s() == 7.0
    assert not router.busy(only, Busy("HTTP 429", 1.0), sent_at=clock.now - 1)  # nothing new
    assert router.due_s() == 7.0
    assert not router.answered(only, clock.now - 2)  # what it took before
    assert router.due_s() == 7.0
    assert only.faults == 0


def test_a_busy_replica_that_says_nothing_rests_as_long_as_was_enough_before() -> None:
    router, clock = a_router(1)
    (only,) = router.replicas
    needed = 1.0  # seconds until it takes requests again
    rests = []
    for _ in range(12):
        began = clock.now
        while router.busy(only, Busy("HTTP 429"), sent_at=clock.now + 0.001):
            clock.now += router.due_s() + 0.001
            if clock.now - began >= needed:
                break
        assert router.answered(only, clock.now + 0.001) is False  # it was due anyway
        rests.append(clock.now - began)
        clock.now += 1
    assert max(rests[2:]) < 1.6 * needed


def test_replicas_of_which_one_is_there_wait_for_nobody() -> None:
    router, _ = a_router(2)
    bad, good = router.replicas
    router.away(bad, Away("connection refused"))
    assert router.due_s() == 0.0
    assert {picked(router) for _ in range(4)} == {good}


def test_faults_of_a_server_that_is_there_make_nobody_wait() -> None:
    router, _ = a_router(1)
    (only,) = router.replicas
    fail(router, only, 5)
    assert router.due_s() == 0.0
    assert picked(router) is only


def test_with_all_replicas_aside_a_request_is_not_sent_again_to_who_refused_it() -> None:
    router, clock = a_router(2)
    first, second = router.replicas
    router.refused(first, "bad key")
    clock.now += 0.5
    router.refused(second, "bad key")
    assert picked(router, avoid=first) is second
    assert picked(router, avoid=second) is first


def test_a_request_that_one_replica_refused_waits_for_the_other_that_is_away() -> None:
    router, _ = a_router(2)
    refuses, away = router.replicas
    router.away(away, Away("connection refused"))
    assert router.due_s() == 0.0
    assert router.waits() is None
    assert router.due_s({refuses}) == 1.0
    assert router.waits({refuses}) is away.waits
    with router.lease("g", 1, avoid=refuses, without={refuses}) as replica:
        assert replica is away
