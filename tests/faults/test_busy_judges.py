"""APIs that take less than we could ask: nothing is lost but time, and one line says so."""

from __future__ import annotations

import json
import logging
import subprocess
import time
from pathlib import Path

import pytest

from grm_plugin import GRM, Group
from tests.cli.conftest import RUN
from tests.engines.conftest import Serve, serve  # noqa: F401 (a fixture)
from tests.engines.judge_server import JudgeServer
from tests.faults.conftest import LONG
from tests.faults.limited_judge import Limited

A_SECOND = 10 if LONG else 60


def groups(count: int) -> list[Group]:
    return [Group.of(f"Name fruit {n}.", ["apple", "chair"], id=str(n)) for n in range(count)]


@pytest.mark.parametrize(
    "told",
    [{}, {"Retry_After": "1"}, {"words": "Rate limit reached. Please try again in 1.0s."}],
    ids=["no word of when", "Retry-After", "in words"],
)
def test_an_api_of_a_few_requests_a_second_scores_every_group(
    serve: Serve,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
    told: dict[str, str],
) -> None:
    limited = Limited(A_SECOND, **told)
    server = serve(JudgeServer(otherwise=limited))
    started = time.monotonic()
    with caplog.at_level(logging.INFO, "grm_plugin"), GRM(engine={"url": server.url}, k=8) as grm:
        verdicts = grm.score_batch(groups(16))
    assert [one.scored for one in verdicts] == [True] * 16
    assert not [failure for one in verdicts for failure in one.failures]
    ideal_s = 128 / A_SECOND
    assert time.monotonic() - started < 2 * ideal_s + 3
    (line,) = [one.getMessage() for one in caplog.records if one.name.startswith("grm_plugin")]
    assert "is busy" in line
    assert "requests_per_minute" in line


def test_a_limit_that_is_known_is_kept_and_nobody_is_refused(serve: Serve) -> None:  # noqa: F811
    limited = Limited(20)
    server = serve(JudgeServer(otherwise=limited))
    engine = {"url": server.url, "requests_per_minute": 1000}
    with GRM(engine=engine, k=4) as grm:
        assert all(one.scored for one in grm.score_batch(groups(10)))
    assert (limited.admitted, limited.refused) == (40, 0)


def test_time_in_the_queue_of_a_slow_api_is_no_time_of_a_group(serve: Serve) -> None:  # noqa: F811
    """The last groups wait for twice as long as a group may take."""
    server = serve(JudgeServer(otherwise=Limited(16, Retry_After="0.5")))
    patience = {"group_timeout_s": 3, "request_timeout_s": 3, "max_concurrent_samples": 8}
    with GRM(engine={"url": server.url}, k=4, **patience) as grm:
        verdicts = grm.score_batch(groups(24))
    assert [one.scored for one in verdicts] == [True] * 24


def test_an_api_that_stays_busy_ends_the_wait_after_request_timeout_s(
    serve: Serve,  # noqa: F811
) -> None:
    server = serve(JudgeServer(otherwise=Limited(0, Retry_After="0.2")))
    started = time.monotonic()
    with GRM(engine={"url": server.url}, k=2, request_timeout_s=1.5) as grm:
        verdicts = grm.score_batch(groups(20))
    assert time.monotonic() - started < 6
    for verdict in verdicts:
        assert verdict.failures_by_reason == {"timeout": 2}
        assert "HTTP 429" in verdict.unscored
        assert "waited for 1.5 s" in verdict.unscored


@pytest.mark.long  # 160 s
@pytest.mark.timeout(400)
@pytest.mark.parametrize("told", [{}, {"Retry_After": "1"}])
def test_grm_score_scores_200_of_200_at_10_requests_a_second(
    serve: Serve,  # noqa: F811
    tmp_path: Path,
    told: dict[str, str],
) -> None:
    server = serve(JudgeServer(otherwise=Limited(10, **told)))
    rows = [{"prompt": f"Name fruit {n}.", "responses": ["apple", "chair"]} for n in range(200)]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = [*RUN, "score", "in.jsonl", "-o", "out.jsonl"]
    started = time.monotonic()
    ended = subprocess.run(
        [*command, "--url", server.url, "--set", "k=8"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    lines = (tmp_path / "out.jsonl").read_text().splitlines()
    assert sum(json.loads(line)["rewards"] is not None for line in lines) == 200
    assert time.monotonic() - started < 240
    assert ended.stderr.count("is busy") == 1
