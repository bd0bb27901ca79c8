"""What callers, judges and plug-ins say stands in the log as one line of the server."""

from __future__ import annotations

import json
import logging
import re

import pytest

from grm_plugin.serving.logs import Lines
from grm_plugin.types import Group
from tests.engines.judge_server import JudgeServer, status
from tests.serving.conftest import Serve, Server, row
from tests.serving.test_http import asked

FORGED = "x\n2026-01-01 00:00:00,000 ERROR forged\r\x1b[2J\u2028\x85\x0b y"
LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ |    |listening on |ready after ")


def test_every_break_in_a_message_is_escaped_or_indented() -> None:
    try:
        raise ValueError(FORGED)
    except ValueError as error:
        record = logging.LogRecord(
            "n", 40, "f", 1, "%s", (FORGED,), (type(error), error, error.__traceback__)
        )
    first, *rest = Lines().format(record).split("\n")
    assert LINE.match(first) and "ERROR x" in first
    assert rest and all(line.startswith("    ") for line in rest)
    assert all(line.isprintable() for line in (first, *rest))


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("prompt-17.3", "prompt-17.3"),
        ("a has no reward: all is well", "'a has no reward: all is well'"),
        ("a\nERROR", r"'a\nERROR'"),
        ("x" * 200, "'" + "x" * 77 + "…'"),
    ],
)
def test_an_id_that_is_more_than_a_word_is_quoted_wherever_its_group_is_named(
    name: str, label: str
) -> None:
    assert Group.of("q", ["a"], id=name).label == label


def lines(server: Server) -> list[str]:
    return [line for line in server.process.lines if line]


async def test_nothing_that_a_caller_sends_begins_a_line_of_the_log(serve: Serve) -> None:
    with JudgeServer(otherwise=status(500, FORGED)).running() as judge:
        server = await serve(judge.url, "--set", "tries=1", "--serving", "flush_s=0.2")
        await server.score(row(1, id=FORGED), row(1, metadata={FORGED: FORGED}))
        part = {"role": "user", "content": [{"type": FORGED, FORGED: 1}]}
        await server.post("/v1/score", {"groups": [{"prompt": [part], "responses": ["a"]}]})
        await server.post("/v1/score", {FORGED: FORGED})
        await server.reward("quality 1", group_ids=FORGED, group_sizes=2, sample_indices=0)
        await server.reward("quality 1", group_ids=FORGED, group_sizes=2, sample_indices=1)
        await server.reward("quality 1", group_ids=FORGED, group_sizes=3, sample_indices=0)
        await server.post(f"/{FORGED}", {})
        await asked(server, "POST /v1/score HTTP/1.1", f"Content-Encoding: {FORGED[-1]}\x80")
        server.process.line("came too late")
    assert len(lines(server)) > 5
    assert all(LINE.match(line) and line.isprintable() for line in lines(server)), lines(server)
    assert json.dumps(lines(server)).count("2026-01-01") >= 2
