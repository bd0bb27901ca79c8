"""What comes over the wire: heads and bodies that are wrong, slow, endless or meant for others."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.engines.judge_server import JudgeServer
from tests.serving.conftest import Serve, Server, row

JSON = "Content-Type: application/json"
PATIENCE_S = 60


@dataclass(frozen=True)
class Answer:
    """What came back over a socket."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> str:
        return json.loads(self.body)["error"]


@asynccontextmanager
async def wire(
    server: Server,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to the server."""
    address = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def answer(reader: asyncio.StreamReader) -> Answer:
    async with asyncio.timeout(PATIENCE_S):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        status, *lines = head.strip().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Answer(int(status.split()[1]), headers, body)


async def asked(server: Server, *head: str, body: bytes = b"") -> Answer:
    """The answer to these lines; ``Host`` is added where they have none."""
    lines = (
        [*head] if any(line.lower().startswith("host:") for line in head) else [*head, "Host: x"]
    )
    lines = [line.replace("Host: x", f"Host: {urlsplit(server.url).netloc}") for line in lines]
    async with wire(server) as (reader, writer):
        writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        return await answer(reader)


def whole(*groups: Any) -> bytes:
    return json.dumps({"groups": [*groups]}).encode()


@pytest.mark.parametrize(
    ("lengths", "status", "telling"),
    [
        (["9" * 5000], 400, "expected an HTTP request"),
        (["9" * 19], 400, "expected one Content-Length, a number of bytes, got '9999999"),
        (["8000001"], 413, "at most 8000000 bytes"),
        (["-1"], 400, "expected an HTTP request"),
        (["1e3"], 400, "expected an HTTP request"),
        (["0x10"], 400, "expected an HTTP request"),
        (["2", "3"], 400, "expected an HTTP request"),
        ([], 422, "body: required, and not given"),
    ],
    ids=["5000 digits", "19 digits", "too much", "negative", "float", "hex", "two", "none"],
)
async def test_a_content_length_that_is_wrong_is_a_refusal(
    shared: Server, lengths: list[str], status: int, telling: str
) -> None:
    told = [f"Content-Length: {length}" for length in lengths]
    found = await asked(shared, "POST /v1/score HTTP/1.1", JSON, *told)
    assert (found.status, found.headers["content-type"]) == (status, "application/json")
    assert telling in found.error
    assert re.fullmatch("[0-9a-f]{16}", found.headers["x-request-id"])


@pytest.mark.parametrize(
    "sent",
    [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\n" * 9, b"X-A: " + b"a" * 100_000],
    ids=["TLS", "long"],
)
async def test_what_is_no_http_is_refused_and_told(
    serve: Serve, judge: JudgeServer, sent: bytes
) -> None:
    server = await serve(judge.url)
    async with wire(server) as (reader, writer):
        writer.write(b"GET /health HTTP/1.1\r\n" + sent if sent.startswith(b"X") else sent)
        found = await answer(reader)
    assert (found.status, "expected an HTTP request" in found.error) == (400, True)
    server.process.line("connection refused with 400, request .* of 127.0.0.1: expected an HTTP")


async def test_a_body_in_chunks_is_counted_as_it_comes(serve: Serve, judge: JudgeServer) -> None:
    server = await serve(judge.url, "--serving", "max_body_bytes=1000")
    chunked = ("POST /v1/score HTTP/1.1", JSON, "Transfer-Encoding: chunked")
    body = whole(row(10))
    short = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    assert (await asked(server, *chunked, body=short)).status == 200
    long = await asked(server, *chunked, body=(b"a\r\n" + b" " * 10 + b"\r\n") * 101)
    assert (long.status, "at most 1000 bytes" in long.error) == (413, True)


@pytest.mark.parametrize("coding", ["gzip", "br", "x"])
async def test_a_compressed_body_is_refused(shared: Server, coding: str) -> None:
    head = ("POST /v1/score HTTP/1.1", JSON, "Content-Length: 4", f"Content-Encoding: {coding}")
    found = await asked(shared, *head, body=b"1234")
    assert (found.status, found.error) == (
        415,
        f"expected a body that is not compressed, got '{coding}'",
    )


@pytest.mark.parametrize(
    ("body", "status", "telling"),
    [
        (b'{"groups": [{"prompt": "\xff\xfe"}]}', 422, "body: expected UTF-8"),
        (b'{"groups": ' + b"9" * 5000 + b"}", 422, "body: expected a JSON object"),
        (b'{"size": {"k": 1' + b"0" * 400 + b'}, "groups": []}', 422, "size.k"),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, 422, "too many levels"),
        (whole(row(1, metadata={"a": float("nan")})), 422, "NaN is no JSON number"),
        (whole(row(1, metadata={"a": [{"b": float("inf")}]})), 422, "is no JSON number"),
        (
            b'{"groups":[{"prompt":"q","responses":["a"],"metadata":{"a":1e999}}]}',
            422,
            "more than a number can be",
        ),
        (whole(row(1, metadata={"a": float("-inf")})), 422, "is no JSON number"),
    ],
    ids=["utf8", "huge", "huge k", "deep", "nan", "inf", "1e999", "-inf"],
)
async def test_a_body_that_is_no_json_that_could_be_is_refused(
    shared: Server, body: bytes, status: int, telling: str
) -> None:
    head = ("POST /v1/score HTTP/1.1", JSON, f"Content-Length: {len(body)}")
    found = await asked(shared, *head, body=body)
    assert (found.status, telling in found.error) == (status, True), found.error


async def test_deep_values_that_python_can_read_do_no_harm(shared: Server) -> None:
    for depth in (100, 400, 900, 990):
        deep = '{"a":' * depth + "1" + "}" * depth
        group = f'{{"prompt":"q","responses":["quality 10"],"metadata":{{"deep":{deep}}}}}'
        label = f'{{"query":["qquality 10"],"prompts":["q"],"labels":[{deep}]}}'
        for path, text in (("/v1/score", f'{{"groups":[{group}]}}'), ("/get_reward", label)):
            head = (f"POST {path} HTTP/1.1", JSON, f"Content-Length: {len(text)}")
            found = await asked(shared, *head, body=text.encode())
            assert found.status in (200, 400, 422), (path, depth, found)


ODD = [
    None,
    True,
    -1,
    1e300,
    10**30,
    "",
    "\x00\ud800",
    [],
    {},
    [[]],
    [None],
    {"role": None},
    "x" * 300,
]
"""Values that no field expects."""


def changed(body: Any, random: Random) -> Any:
    """``body`` with one value replaced by an odd one, somewhere in it."""
    if random.random() < 0.15 or not body or not isinstance(body, dict | list):
        return random.choice(ODD)
    where = random.choice(list(body) if isinstance(body, dict) else range(len(body)))
    copy = dict(body) if isinstance(body, dict) else list(body)
    copy[where] = changed(body[where], random)
    return copy


async def test_whatever_a_field_holds_is_served_or_refused_with_a_sentence(shared: Server) -> None:
    turn = {
        "role": "user",
        "content": "q",
        "name": "n",
        "tool_calls": [{"function": {"name": "f"}}],
    }
    score = {
        "groups": [
            {
                "id": "a",
                "prompt": [turn, {"role": "user", "content": [{"type": "text", "text": "q"}]}],
                "responses": ["quality 10", [{"role": "assistant", "content": "quality 1"}]],
                "reference": "r",
                "metadata": {"a": [1]},
            }
        ],
        "size": {"k": 2},
    }
    reward = {
        "query": ["qquality 10"],
        "prompts": ["q"],
        "labels": ["l"],
        "group_ids": ["g"],
        "group_sizes": [1],
        "sample_indices": [0],
        "steps": [1],
    }
    random = Random(7)
    for n in range(400):
        path, body = (("/v1/score", score), ("/get_reward", reward))[n % 2]
        status, said = await shared.post(path, changed(body, random))
        assert status in (200, 409, 413, 422), (path, status, said)
        assert status == 200 or said["error"].isprintable()


async def test_what_a_browser_may_send_to_everybody_without_asking_is_refused(
    shared: Server,
) -> None:
    body = whole(row(10))
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        head = ("POST /v1/score HTTP/1.1", f"Content-Type: {kind}", f"Content-Length: {len(body)}")
        assert (await asked(shared, *head, body=body)).status == 422


@pytest.mark.parametrize("method", ["OPTIONS", "HEAD", "PUT", "DELETE", "TRACE"])
async def test_other_methods_are_refused_and_a_body_with_them_is_not_read(
    shared: Server, method: str
) -> None:
    async with shared.session.request(method, "/v1/score") as plain:
        assert (plain.status, plain.headers["Allow"]) == (405, "POST")
    if method != "HEAD":
        head = (f"{method} /v1/score HTTP/1.1", "Content-Length: 1000000000")
        found = await asked(shared, *head, body=b"x" * 1000)
        assert (found.status, "no body with" in found.error) == (400, True)


async def test_http_1_0_is_served_also_without_a_host(shared: Server) -> None:
    body = whole(row(10))
    async with wire(shared) as (reader, writer):
        head = f"POST /v1/score HTTP/1.0\r\n{JSON}\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        assert (await answer(reader)).status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8400", "127.0.0.1.evil.example", "[::2]", "localhost.x"]
)
async def test_on_loopback_a_host_of_somebody_else_is_refused(shared: Server, host: str) -> None:
    found = await asked(shared, "GET /health HTTP/1.1", f"Host: {host}")
    assert (found.status, "with a name of this server" in found.error) == (421, True)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.9:8400", "[::1]:8400"])
async def test_on_loopback_the_names_of_this_machine_are_taken(shared: Server, host: str) -> None:
    assert (await asked(shared, "GET /health HTTP/1.1", f"Host: {host}")).status == 200


async def test_a_host_that_is_allowed_is_taken(serve: Serve, judge: JudgeServer) -> None:
    server = await serve(judge.url, "--serving", "allowed_hosts=[Rewards.example]")
    assert (await asked(server, "GET /health HTTP/1.1", "Host: rewards.example:80")).status == 200
    assert (await asked(server, "GET /health HTTP/1.1", "Host: other.example")).status == 421


@pytest.mark.parametrize("sent", ["run-7.step_3", "a" * 64])
async def test_a_plain_request_id_comes_back_and_is_in_the_log(shared: Server, sent: str) -> None:
    head = ("POST /nowhere HTTP/1.1", "Content-Length: 0", f"X-Request-ID: {sent}")
    assert (await asked(shared, *head)).headers["x-request-id"] == sent
    head = ("GET /health HTTP/1.1", f"X-Request-ID: {sent}")
    assert (await asked(shared, *head)).headers["x-request-id"] == sent


@pytest.mark.parametrize("sent", ["a b", "a" * 65, "é", "\x1b[2J", "", "-a", "a\tb"])
async def test_another_request_id_is_replaced(shared: Server, sent: str) -> None:
    found = await asked(shared, "GET /health HTTP/1.1", f"X-Request-ID: {sent}")
    if found.status == 200:
        assert re.fullmatch("[0-9a-f]{16}", found.headers["x-request-id"])
    else:
        assert found.status == 400


async def test_the_id_of_a_call_is_in_the_line_about_its_group(shared: Server) -> None:
    over_context = {"prompt": "word " * 5000, "responses": ["quality 5"]}
    status, _ = await shared.post(
        "/v1/score", {"groups": [over_context]}, headers={"X-Request-ID": "the-call"}
    )
    assert status == 200
    shared.process.line(r"group .* has no reward: .* \(request the-call of 127.0.0.1\)")


SLOW = ("--serving", "header_timeout_s=1", "--serving", "body_idle_s=1", "--serving")


async def test_a_head_that_drips_is_not_waited_for(serve: Serve, judge: JudgeServer) -> None:
    server = await serve(judge.url, *SLOW, "body_timeout_s=2")
    async with wire(server) as (reader, writer):
        began = time.monotonic()
        writer.write(b"POST /v1/score HTTP/1.1\r\n")

        async def drip() -> None:
            while True:
                writer.write(b"X-A: b\r\n")
                await asyncio.sleep(0.1)

        dripping = asyncio.create_task(drip())
        found = await answer(reader)
        dripping.cancel()
    assert (found.status, "head of the call did not arrive within 1 s" in found.error) == (
        408,
        True,
    )
    assert 0.9 < time.monotonic() - began < 20


async def test_a_connection_that_says_nothing_is_closed(serve: Serve, judge: JudgeServer) -> None:
    server = await serve(judge.url, *SLOW, "keep_alive_s=1")
    async with wire(server) as (reader, writer):
        assert (await answer(reader)).status == 408
    async with wire(server) as (reader, writer):
        head = f"GET /health HTTP/1.1\r\nHost: {urlsplit(server.url).netloc}\r\n\r\n"
        writer.write(head.encode())
        assert (await answer(reader)).status == 200
        async with asyncio.timeout(PATIENCE_S):
            assert await reader.read() == b""


@pytest.mark.parametrize(
    ("pause_s", "telling"),
    [(0.1, "the body did not arrive within 2 s"), (30, "nothing of the body came for 1 s")],
    ids=["drips", "stops"],
)
async def test_a_body_that_drips_or_stops_is_not_waited_for(
    serve: Serve, judge: JudgeServer, pause_s: float, telling: str
) -> None:
    server = await serve(judge.url, *SLOW, "body_timeout_s=2")

    async def slow() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(pause_s)

    async with server.session.post("/v1/score", data=slow()) as found:
        assert (found.status, (await found.json())["error"]) == (408, telling)


async def test_a_caller_that_does_not_read_its_answer_is_cut_off(
    serve: Serve, judge: JudgeServer
) -> None:
    server = await serve(judge.url, "--serving", "answer_timeout_s=1")
    groups = [{"prompt": "word " * 190_000, "responses": ["a"]}] * 7  # each comes back, unscored
    body = whole(*groups)
    address = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port, limit=1)
    try:
        head = f"POST /v1/score HTTP/1.1\r\nHost: {address.netloc}\r\n{JSON}\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await server.until_metric('grm_calls_total{path="/v1/score",status="200"}', 1)
        await asyncio.sleep(3)
        head_came, _, came = (await reader.read()).partition(b"\r\n\r\n")
        told = re.search(rb"content-length: (\d+)", head_came)
        assert told and len(came) < int(told[1])
    finally:
        writer.transport.abort()


async def test_more_connections_than_allowed_are_refused(serve: Serve, judge: JudgeServer) -> None:
    server = await serve(judge.url, "--serving", "max_connections=3")
    async with wire(server), wire(server), wire(server) as (reader, _):
        found = await answer(reader)
        assert (found.status, "3 connections are open" in found.error) == (503, True)
