"""When a server that is busy wants to be asked again, wherever and however it says so."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

_LONGEST_S = 60.0
_READ = 4000  # characters of what it says
_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_NUMBER = r"\d{1,15}(?:\.\d{1,15})?"
_PART = rf"{_NUMBER}\s*(?:ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hours?)(?![a-z])"
_PARTS = re.compile(rf"({_NUMBER})\s*(milliseconds?|ms|[smh])[a-z]*", re.I)
_DURATION = re.compile(rf"(?:{_PART}\s*)+", re.I)
_IN_WORDS = re.compile(
    r"(?:try(?:ing)? again|retry(?:ing)?|wait|retry[-_ ]?(?:delay|after)|estimated_time)\W{0,4}"
    rf"(?:(?:in|after|for)\W{{1,4}})?((?:{_PART}\s*)+|{_NUMBER})",
    re.I,
)


def seconds_asked_for(headers: Mapping[str, str], said: str) -> float | None:
    """Seconds after which the server wants to be asked again, 0 to 60; None: it does not say.

    Args:
        headers: of its answer; ``Retry-After`` (a number or a date) goes before ``retry-after-ms``,
            then what it says in words, then ``x-ratelimit-reset`` and its like.
        said: the body of its answer.

    >>> seconds_asked_for({"Retry-After": "1.5"}, "")
    1.5
    >>> seconds_asked_for({}, "Rate limit reached. Please try again in 1m2s.")
    60.0
    """
    millis = _number(headers.get("retry-after-ms"))
    found = (
        _time(headers.get("Retry-After")),
        None if millis is None else millis / 1000,
        _in_words(said[:_READ]),
        _reset(headers),
    )
    seconds = next((one for one in found if one is not None), None)
    return None if seconds is None else min(max(seconds, 0.0), _LONGEST_S)


def _time(value: str | None) -> float | None:
    """Seconds from a number, a duration (``6m0s``), a moment since 1970, or a date."""
    if value is None:
        return None
    number = _number(value)
    if number is not None:
        return number - time.time() if number > 1e9 else number
    return _duration(value) if _DURATION.fullmatch(value.strip()) else _until(value)


def _number(value: str | None) -> float | None:
    return float(value) if value and re.fullmatch(_NUMBER, value.strip()) else None


def _until(date: str) -> float | None:
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            return read(date.strip()).timestamp() - time.time()
        except (ValueError, OverflowError):
            continue
    return None


def _in_words(said: str) -> float | None:
    found = _IN_WORDS.search(said)
    if found is None:
        return None
    number = _number(found[1])
    return _duration(found[1]) if number is None else number


def _duration(text: str) -> float:
    parts = _PARTS.findall(text)
    return sum(float(number) * _UNIT_S[_unit(name)] for number, name in parts)


def _unit(name: str) -> str:
    return "ms" if name.lower().startswith(("ms", "mil")) else name[0].lower()


def _reset(headers: Mapping[str, str]) -> float | None:
    """The longest time until one of the limits that are used up is renewed."""
    found = []
    for name, value in headers.items():
        left = headers.get(re.sub("reset", "remaining", name, flags=re.I), "0")
        if re.search(r"ratelimit-.*reset|ratelimit-reset", name, re.I) and _number(left) == 0:
            found.append(_time(value))
    return max((one for one in found if one is not None), default=None)
