"""What JSON can not tell, as something that it can."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import TypeVar

from pydantic_core import to_jsonable_python

from grm_plugin.types import Failure, Judgment, Token

S = TypeVar("S", Judgment, Failure)


def told(value: object) -> object:
    """``value`` of metadata as JSON, or its ``repr``."""
    try:
        return to_jsonable_python(value, fallback=repr)
    except ValueError:
        return repr(value)


def finite(sample: S) -> S:
    """``sample`` with probabilities that JSON can tell: the logarithm of none has no number in it.

    They keep their place: what an engine did not tell and what it told as impossible are two.
    """
    if all(math.isfinite(log) for token in sample.tokens for log in _logs(token)):
        return sample
    tokens = (
        Token(one.text, _number(one.logprob), {text: _number(log) for text, log in one.top.items()})
        for one in sample.tokens
    )
    return replace(sample, tokens=tuple(tokens))


def _logs(token: Token) -> Iterator[float]:
    yield token.logprob
    yield from token.top.values()


def _number(log: float) -> float:
    return log if math.isfinite(log) else -sys.float_info.max
