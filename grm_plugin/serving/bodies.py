"""Bodies of calls: plain, bounded each and together, and here within a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from grm_plugin.errors import quoted
from grm_plugin.serving.admission import Lease
from grm_plugin.serving.errors import Refused, TooLarge
from grm_plugin.serving.settings import ServingSettings

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Headers = Iterable[tuple[bytes, bytes]]
# No body is that long; and what has thousands of digits, Python does not even take for a number.
_LENGTH_DIGITS = 18
# What a value of JSON takes in memory beside its text.
_VALUE_BYTES = 64
_NO_MARKS = bytes(set(range(256)) - set(b'",'))
_PIECE = 1 << 16


async def read_body(
    settings: ServingSettings, headers: Headers, receive: Receive, held: Lease
) -> bytes | None:
    """The whole body of a call; None when the caller has gone.

    Args:
        settings: how long, how large.
        headers: of the call.
        receive: of the call.
        held: grows with what has come, and in the end with what it takes when it is read.

    Raises:
        TooLarge: it is too long, told without reading it where the head says so; or it has too
            many values.
        Unavailable: with it there would be too much in all calls together.
        Refused: it is compressed, its length is no number, or it does not come in time.
    """
    _check_encoding(headers)
    told = _told_length(headers)
    if told > settings.max_body_bytes:
        raise _too_large(settings)
    held.check(told)
    clock = asyncio.get_running_loop().time
    end = clock() + settings.body_timeout_s
    body = bytearray()
    try:
        async with asyncio.timeout_at(end) as limit:
            while True:
                limit.reschedule(min(end, clock() + settings.body_idle_s))
                message = await receive()
                if message["type"] == "http.disconnect":
                    return None
                _grow(body, message.get("body", b""), settings, held)
                if not message.get("more_body"):
                    break
    except TimeoutError:
        raise _too_slow(settings, whole=limit.when() == end) from None
    await _count_values(body, settings, held)
    return bytes(body)


def _grow(body: bytearray, more: bytes, settings: ServingSettings, held: Lease) -> None:
    if len(body) + len(more) > settings.max_body_bytes:
        raise _too_large(settings)
    held.grow(len(more))
    body += more


async def _count_values(body: bytearray, settings: ServingSettings, held: Lease) -> None:
    commas = body.count(b",")
    if commas <= settings.max_values and commas * _VALUE_BYTES <= len(body):
        return
    values = await asyncio.to_thread(values_of, body)
    if values > settings.max_values:
        raise TooLarge(
            f"expected at most {settings.max_values} values in a body, got {values}; send fewer "
            "groups in one call, or raise max_values"
        )
    held.grow(_VALUE_BYTES * values)


def values_of(body: bytes | bytearray) -> int:
    """About how many values a body of JSON has: its commas outside of texts.

    >>> values_of(b'{"a": "1, 2, 3"}' * 1000), values_of(b"[" + b"[]," * 2000 + b"[]]")
    (0, 2000)
    """
    plain = body.replace(rb"\\", b"").replace(rb"\"", b"")
    marks = plain.translate(None, _NO_MARKS).replace(b'""', b"")
    found, in_text = 0, False
    for start in range(0, len(marks), _PIECE):  # together the parts would take many times as much
        parts = marks[start : start + _PIECE].split(b'"')
        found += b"".join(parts[in_text::2]).count(b",")
        in_text ^= len(parts) % 2 == 0
    return found


def _values(headers: Headers, name: bytes) -> list[bytes]:
    return [value.strip() for key, value in headers if key == name]


def has_body(headers: Headers) -> bool:
    """Whether a call with these headers has a body."""
    lengths = _values(headers, b"content-length")
    return bool(_values(headers, b"transfer-encoding")) or any(one != b"0" for one in lengths)


def _check_encoding(headers: Headers) -> None:
    for coding in _values(headers, b"content-encoding"):
        if coding.lower() != b"identity":
            raise Refused(415, f"expected a body that is not compressed, got {_shown(coding)}")


def _told_length(headers: Headers) -> int:
    told = set(_values(headers, b"content-length")) or {b"0"}
    (length, *others) = told
    if others or not length.isdigit() or len(length) > _LENGTH_DIGITS:
        raise Refused(
            400,
            "expected one Content-Length, a number of bytes, got "
            + ", ".join(sorted(map(_shown, told))),
        )
    return int(length)


def _shown(value: bytes) -> str:
    return quoted(value.decode("latin-1"), limit=40)


def _too_large(settings: ServingSettings) -> TooLarge:
    return TooLarge(
        f"expected a body of at most {settings.max_body_bytes} bytes, got more; send fewer groups "
        "in one call"
    )


def _too_slow(settings: ServingSettings, *, whole: bool) -> Refused:
    if whole:
        return Refused(408, f"the body did not arrive within {settings.body_timeout_s:g} s")
    return Refused(408, f"nothing of the body came for {settings.body_idle_s:g} s")
