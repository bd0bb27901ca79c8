"""How requests reach a judge and are let in, and that no key is ever shown or kept."""

from __future__ import annotations

import html
import json
import logging
import shutil
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin import GRM, Group
from grm_plugin.engine import Draw, Limits
from grm_plugin.engines.server import ServerEngine
from grm_plugin.errors import ConfigError, EngineError, RefusedError
from grm_plugin.remote.access import Access
from grm_plugin.remote.options import ConnectionOptions
from grm_plugin.remote.providers import PLAIN
from grm_plugin.remote.secret import Hiding
from tests.engines.conftest import Serve
from tests.engines.judge_server import JudgeServer, choices_with, completion, status
from tests.engines.requests_to_judge import request_for
from tests.engines.test_server_engine import engine_for

KEY = 'sk-hush/"0123456789'


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUDGE_KEY", KEY)
    monkeypatch.setenv("ORGANISATION", "org-hush-hush-42")
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


async def test_headers_and_query_are_sent_with_every_request(serve: Serve) -> None:
    server = serve(JudgeServer())
    headers = {"X-Organisation": "${ORGANISATION}", "X-Plain": "as it is"}
    query = {"api-version": "2024-10-21"}
    async with engine_for(server, headers=headers, query=query) as engine:
        await engine.sample(request_for())
    sent = {"X-Organisation": "org-hush-hush-42", "X-Plain": "as it is"}
    assert sent.items() <= server.headers[0].items()
    assert server.queries == [query]


@pytest.mark.parametrize(
    ("header", "sent"),
    [
        *(("api-key", KEY), ("x-api-key", KEY)),
        *(("Authorization", f"Bearer {KEY}"), ("authorization", f"Bearer {KEY}")),
    ],
)
async def test_the_key_goes_into_the_header_that_is_named(
    serve: Serve, header: str, sent: str
) -> None:
    server = serve(JudgeServer())
    async with engine_for(server, api_key_env="JUDGE_KEY", key_header=header) as engine:
        await engine.sample(request_for())
    assert {name.lower(): value for name, value in server.headers[0].items()}[
        header.lower()
    ] == sent


@pytest.mark.parametrize(
    ("options", "telling"),
    [
        ({"headers": {"Authorization": "Bearer sk-open"}}, "headers.Authorization: expected"),
        ({"headers": {"X-Auth-Token": "sk-open"}}, r"expected \$\{NAME\}, the name of an env"),
        ({"query": {"key": "sk-open"}}, "query.key: expected"),
        ({"headers": {"X-Org": "${NOT_THERE}"}}, "variable NOT_THERE is not set"),
        ({"headers": {"X-Org": "${sk-open}"}}, "expected the name of an environment variable"),
        ({"proxy": "http://me:sk-open@proxy:1"}, "proxy: a URL must not carry a user"),
        ({"proxy": "http://me:sk-open@proxy:80a"}, "proxy: a URL must not carry a user"),
        ({"proxy": "proxy"}, "proxy: expected environment, none or a URL"),
        ({"proxy": "http://proxy:80a"}, "proxy: expected environment, none or a URL"),
        ({"headers": {"X-A": "sk-open\n"}}, "headers.X-A: expected a text without line breaks"),
        ({"headers": {"X A": "b"}}, "headers: expected the name of a header, got 'X A'"),
        ({"key_header": "a:b"}, "key_header: expected the name of a header, got 'a:b'"),
        ({"url": "http://localhost:80a"}, "expected a URL such as .*, got 'http://localhost:80a'"),
        ({"url": "http://localhost:99999"}, "expected a URL such as"),
        ({"url": "http://[::1"}, "expected a URL such as"),
        ({"url": "http://:8001"}, "expected a URL such as"),
        ({"url": "http://me:sk-open@h:80a"}, "a URL must not carry a user or password"),
        ({"url": "me:sk-open@h"}, "a URL must not carry a user or password"),
        ({"url": "http://h:80a?key=sk-open"}, "expected a URL such as .*, got 'http://h:80a'"),
        ({"ca_file": "/no/such.pem"}, "ca_file '/no/such.pem' can not be used"),
    ],
)
def test_what_can_not_be_sent_is_refused_by_name_and_no_key_is_shown(
    options: dict[str, Any], telling: str
) -> None:
    with pytest.raises(ConfigError, match=telling) as caught:
        ServerEngine({"url": "http://h", **options}, Limits())
    assert "sk-open" not in str(caught.value)


def test_a_key_with_a_line_break_is_named_before_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUDGE_KEY", "sk-one\nsk-two")
    with pytest.raises(ConfigError, match="JUDGE_KEY holds a line break") as caught:
        ServerEngine({"url": "http://h", "api_key_env": "JUDGE_KEY"}, Limits())
    assert "sk-" not in str(caught.value)


async def test_a_proxy_of_the_environment_is_asked(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve(JudgeServer())
    monkeypatch.setenv("http_proxy", proxy.url)
    async with engine_for(url="http://judge.internal") as engine:
        (draw,) = await engine.sample(request_for())
    assert isinstance(draw, Draw)
    assert proxy.headers[0]["Host"] == "judge.internal"


async def test_a_proxy_that_is_named_is_asked_whatever_the_environment_says(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve(JudgeServer())
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with engine_for(url="http://judge.internal", proxy=proxy.url) as engine:
        assert isinstance((await engine.sample(request_for()))[0], Draw)


@pytest.mark.parametrize(
    ("url", "more", "asked"),
    [
        ("http://judge.internal/v1", {}, "http://proxy:3128"),
        ("https://judge.internal/v1", {}, "http://secure:3128"),
        ("http://127.0.0.1:8001/v1", {}, None),
        ("http://[::1]:8001/v1", {}, None),
        ("http://localhost:8001/v1", {}, None),
        ("http://judge.cluster:8001/v1", {}, None),
        ("http://judge.internal/v1", {"proxy": "none"}, None),
    ],
)
def test_this_machine_and_what_no_proxy_names_is_asked_straight(
    monkeypatch: pytest.MonkeyPatch, url: str, more: dict[str, Any], asked: str | None
) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    monkeypatch.setenv("https_proxy", "http://secure:3128")
    monkeypatch.setenv("no_proxy", ".cluster")
    access = Access.of(ConnectionOptions(url="http://h", **more), PLAIN, "engine")
    assert access.proxy_for(url) == asked


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 that nobody but itself stands for, and its key."""
    if not shutil.which("openssl"):
        pytest.skip("needs openssl")
    file = tmp_path / "judge.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-keyout", str(file), "-out", str(tmp_path / "certificate.pem")),
            *("-subj", "/CN=judge", "-addext", "subjectAltName=IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    file.write_bytes(file.read_bytes() + (tmp_path / "certificate.pem").read_bytes())
    return file


async def test_a_certificate_of_ones_own_is_trusted_when_it_is_named(
    serve: Serve, certificate: Path
) -> None:
    server = JudgeServer()
    server.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.tls.load_cert_chain(certificate)
    serve(server)
    async with engine_for(server, ca_file=certificate.with_name("certificate.pem")) as engine:
        assert isinstance((await engine.sample(request_for()))[0], Draw)
    for start_timeout_s in (0, 300):  # no waiting cures it
        with pytest.raises(RefusedError, match=r"certificate is not trusted: .*name its authority"):
            async with engine_for(server, start_timeout_s=start_timeout_s):
                pass


@pytest.mark.parametrize("provider", [None, "anthropic"])
async def test_plain_http_to_a_server_that_speaks_tls_is_named_as_that_at_once(
    serve: Serve, certificate: Path, provider: str | None
) -> None:
    server = JudgeServer()
    server.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.tls.load_cert_chain(certificate)
    url = serve(server).url.replace("https://", "http://")
    with pytest.raises(RefusedError, match="the server speaks TLS there: write https:// in url"):
        async with engine_for(url=url, start_timeout_s=300, provider=provider, model="judge"):
            pass


def _echoing(place: Callable[[str], dict[str, Any]], escape: bool) -> Any:
    """Answers that repeat the key, written as it is or with all of its characters escaped."""

    async def act(server: JudgeServer, request: web.Request, body: dict[str, Any]) -> Any:
        heard = request.headers["Authorization"].removeprefix("Bearer ")
        changes = place("\0KEY\0")
        told = json.dumps(completion(body, **changes))
        written = (
            "".join(f"\\u{ord(one):04X}" for one in heard) if escape else json.dumps(heard)[1:-1]
        )
        return web.Response(text=told.replace("\\u0000KEY\\u0000", written))

    return act


PLACES: dict[str, Callable[[str], dict[str, Any]]] = {
    "content": lambda key: {"message": {"content": f"your key {key}: \\boxed{{7, 3}}"}},
    "reasoning": lambda key: {"message": {"content": "\\boxed{7, 3}", "reasoning": f"{key}!"}},
    "refusal": lambda key: {"message": {"content": None, "refusal": f"not with {key}"}},
    "finish_reason": lambda key: {"finish_reason": f"for {key}"},
    "no message": lambda key: {"message": key},
}


@pytest.mark.parametrize("escape", [False, True])
@pytest.mark.parametrize("where", PLACES)
def test_a_key_that_a_judge_repeats_reaches_no_record_no_log_and_no_error(
    serve: Serve, tmp_path: Path, caplog: pytest.LogCaptureFixture, where: str, escape: bool
) -> None:
    caplog.set_level(logging.DEBUG)
    server = serve(JudgeServer(otherwise=_echoing(PLACES[where], escape)))
    path = tmp_path / "verdicts.jsonl"
    engine = {"name": "server", "url": server.url, "api_key_env": "JUDGE_KEY"}
    with GRM(engine=engine, k=2, record=path, permutations=1) as grm:
        verdict = grm.score(Group.of("q", ["a", "b"]))
    shown = f"{verdict!r} {path.read_text()} {caplog.text}"
    assert "***" in shown
    assert "hush" not in shown
    assert "\\u0068\\u0075" not in shown.lower()


@pytest.mark.parametrize("code", [400, 401, 404, 500, 302])
async def test_a_key_in_a_refusal_reaches_no_error(serve: Serve, code: int) -> None:
    server = serve(JudgeServer(otherwise=status(code, f"no {KEY} here", Location=f"/?k={KEY}")))
    async with engine_for(server, api_key_env="JUDGE_KEY") as engine:
        with pytest.raises(EngineError) as caught:
            await engine.sample(request_for())
    assert "hush" not in str(caught.value)


async def test_a_key_in_the_list_of_models_reaches_no_error(serve: Serve) -> None:
    server = serve(JudgeServer(model=f"judge of {KEY}"))
    with pytest.raises(EngineError, match="judge of ") as caught:
        async with engine_for(server, api_key_env="JUDGE_KEY", model="other"):
            pass
    assert "hush" not in str(caught.value)


async def test_a_word_that_stands_for_no_key_stays_in_the_text(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUDGE_KEY", "EMPTY")
    server = serve(JudgeServer(choices_with(message={"content": "EMPTY"})))
    async with engine_for(server, api_key_env="JUDGE_KEY") as engine:
        (draw,) = await engine.sample(request_for())
    assert isinstance(draw, Draw) and draw.text == "EMPTY"


@given(
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=40),
    st.booleans(),
    st.integers(0, 2),
)
def test_no_key_survives_however_json_writes_it(key: str, escape: bool, nested: int) -> None:
    written = "".join(f"\\u{ord(one):04x}" for one in key) if escape else json.dumps(key)[1:-1]
    for _ in range(nested):
        written = json.dumps(written)[1:-1]
    assert Hiding([key]).content(written.encode()) == b"***"


@given(
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=40),
    st.sampled_from([quote, quote_plus, lambda key: quote(key, safe=""), html.escape]),
    st.sampled_from([str, html.escape, lambda text: json.dumps(text)[1:-1]]),
)
def test_no_key_survives_in_a_url_or_a_page_that_repeats_it(
    key: str, write: Callable[[str], str], again: Callable[[str], str]
) -> None:
    assert Hiding([key]).text(f"see /?key={again(write(key))} there") == "see /?key=*** there"


async def test_a_key_of_the_query_that_a_server_repeats_is_not_shown(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def echo(server: JudgeServer, request: web.Request, body: dict[str, Any]) -> Any:
        return web.Response(text=f"cannot POST {request.raw_path}", status=404)

    monkeypatch.setenv("QUERY_KEY", "abc+def/ghi=hush&jkl")
    async with engine_for(
        serve(JudgeServer(otherwise=echo)), query={"key": "${QUERY_KEY}"}
    ) as engine:
        with pytest.raises(EngineError, match="cannot POST") as caught:
            await engine.sample(request_for())
    assert "key=***" in str(caught.value) and "hush" not in str(caught.value)
