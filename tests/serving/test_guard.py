"""The application behind its guard, called as a server of ASGI calls it."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest

from grm_plugin.serving.app import create_app
from grm_plugin.serving.callers import Caller
from grm_plugin.serving.naming import check_host
from tests.serving.conftest import row


class Broken:
    """A judge with a fault that nobody thought of."""

    k, marks, groups_at_a_time = 1, (), 4

    async def score(self, group: Any, size: Any) -> Any:
        raise ZeroDivisionError("by zero\nERROR forged")


async def called(app: Any, body: Any, **scope: Any) -> tuple[int, dict[str, str], Any]:
    """Status, headers and body of the answer to a call of ``/v1/score``."""
    heads = {"content-type": "application/json", "x-request-id": "the-call"}
    whole = [{"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not whole:
            await asyncio.Event().wait()  # it stays for its answer
        return whole.pop()

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    given = {
        "type": "http",
        "method": "POST",
        "path": "/v1/score",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in heads.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }
    await app({**given, **scope}, receive, send)
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    answer = b"".join(message.get("body", b"") for message in sent[1:])
    return sent[0]["status"], headers, json.loads(answer)


async def test_a_fault_that_nobody_thought_of_costs_its_call_and_the_log_says_which(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = create_app(Broken())  # type: ignore[arg-type]
    app.state.service.lifecycle.ready()
    with caplog.at_level(logging.ERROR):
        status, headers, said = await called(app, {"groups": [row(1)]})
    assert (status, headers["x-request-id"]) == (500, "the-call")
    assert said == {"error": "the server failed; its log says why beside this call's X-Request-ID"}
    (record,) = [one for one in caplog.records if one.name.startswith("grm_plugin")]
    told = "/v1/score failed, request the-call of 127.0.0.1: by zero\\nERROR forged"
    assert record.getMessage() == told
    assert record.exc_info
    assert app.state.service.admission.calls.taken == 0
    assert app.state.service.admission.groups.taken == 0


@pytest.mark.parametrize(
    ("client", "name"),
    [
        (("10.0.0.7", 1), "10.0.0.7"),
        (("::ffff:10.0.0.7", 1), "10.0.0.7"),
        (("2001:db8:1:2:3:4:5:6", 1), "2001:db8:1:2::/64"),
        (None, "local"),
        (("/run/socket", None), "local"),
    ],
)
def test_a_caller_without_a_name_goes_by_its_address(client: Any, name: str) -> None:
    assert Caller.of({"client": client, "headers": []}).name == name


@pytest.mark.parametrize("server", [("10.0.0.1", 80), None, ("/run/socket", None)])
def test_elsewhere_than_on_loopback_any_host_is_taken_unless_some_are_named(server: Any) -> None:
    scope = {"server": server, "headers": [(b"host", b"rewards.example")]}
    check_host(scope, ())
    check_host(scope, ("Rewards.Example",))
    check_host(scope, ("*",))
    with pytest.raises(Exception, match="expected a Host header with a name of this server"):
        check_host(scope, ("other.example",))
