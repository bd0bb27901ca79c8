"""Proxies on the way to a judge: their login is never shown, and their faults are their own."""

from __future__ import annotations

import logging
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from grm_plugin import GRM, Group
from grm_plugin.errors import EngineError, RefusedError
from grm_plugin.remote.access import Access
from grm_plugin.remote.options import ConnectionOptions
from grm_plugin.remote.providers import PLAIN
from grm_plugin.remote.starting import NotServing
from tests.engines.test_server_engine import engine_for

LOGIN = "alice:hush-hush-42"
Proxy = Callable[[bytes], str]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("PROXY_LOGIN", LOGIN)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-open-and-known")


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """Starts proxies that give everybody the same answer; they come as ``host:port``."""
    listening: list[socket.socket] = []

    def start(answer: bytes) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        listening.append(server)

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client:
                    client.recv(65536)
                    client.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        return f"127.0.0.1:{server.getsockname()[1]}"

    yield start
    for server in listening:
        server.shutdown(socket.SHUT_RDWR)
        server.close()


def saying(status: str) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()


async def started(**options: Any) -> None:
    async with engine_for(model="judge", **options):
        pass


@pytest.mark.parametrize("url", ["https://judge.example", "http://judge.example"])
@pytest.mark.parametrize(
    "answer", [saying("407 no"), saying("500 no"), saying("502 no"), b"alice:hush-hush-42\r\n", b""]
)
async def test_a_login_at_the_proxy_is_in_no_error_and_no_traceback(
    proxy: Proxy, url: str, answer: bytes
) -> None:
    place = proxy(answer)
    with pytest.raises(EngineError, match=rf"by the proxy {place}: ") as caught:
        await started(url=url, proxy=f"http://${{PROXY_LOGIN}}@{place}", start_timeout_s=0)
    assert "hush" not in "".join(traceback.format_exception(caught.value))


def test_a_login_at_the_environments_proxy_reaches_no_record_and_no_log(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    place = proxy(saying("502 Bad Gateway"))
    monkeypatch.setenv("HTTPS_PROXY", f"http://{LOGIN}@{place}")
    path = tmp_path / "verdicts.jsonl"
    engine = {"name": "server", "provider": "anthropic", "model": "c", "start_timeout_s": 0}
    with GRM(engine=engine, k=2, record=path) as grm, pytest.raises(NotServing, match=place):
        grm.score(Group.of("q", ["a", "b"]))
    assert "hush" not in caplog.text + (path.read_text() if path.exists() else "")


@pytest.mark.parametrize("url", ["https://judge.example", "http://judge.example"])
async def test_a_proxy_that_wants_a_login_is_not_waited_for(proxy: Proxy, url: str) -> None:
    place = proxy(saying("407 Proxy Authentication Required"))
    with pytest.raises(RefusedError, match=r"407.*the proxy wants a login: .*PROXY_LOGIN"):
        await started(url=url, proxy=f"http://{place}", start_timeout_s=300)


async def test_a_proxy_that_lets_nobody_through_is_not_waited_for(proxy: Proxy) -> None:
    place = proxy(saying("403 Forbidden"))
    with pytest.raises(RefusedError, match="the proxy says HTTP 403: 'Forbidden'; name another"):
        await started(url="https://judge.example", proxy=f"http://{place}", start_timeout_s=300)


async def test_a_proxy_that_is_away_is_not_mistaken_for_the_judge(proxy: Proxy) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        place = f"127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(NotServing, match=rf"{place}: no connection to the proxy: conn") as caught:
        await started(url="https://judge.example", proxy=f"http://{place}", start_timeout_s=0)
    assert "vllm serve" not in str(caught.value)


async def test_a_proxy_of_no_known_name_is_looked_for_in_its_own_setting() -> None:
    with pytest.raises(RefusedError, match=r"'no-such\.invalid'; is it spelt right in proxy, or "):
        await started(url="https://judge.example", proxy="http://no-such.invalid:3128")


async def test_a_proxy_that_is_none_of_http_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ALL_PROXY", f"socks5://{LOGIN}@gate:1080")
    with pytest.raises(RefusedError, match="got 'socks5://gate:1080'; name another") as caught:
        await started(url="https://judge.example", start_timeout_s=300)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "[::]", "127.0.0.1", "localhost", socket.gethostname().upper()]
)
def test_no_proxy_is_asked_for_this_machine(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://gate:3128")
    monkeypatch.setenv("http_proxy", "gate:3128")
    access = Access.of(ConnectionOptions(url="http://h"), PLAIN, "engine")
    assert access.proxy_for(f"http://{host}:8001/v1/models") is None
    assert access.proxy_for("http://judge:8001") == "http://gate:3128"
