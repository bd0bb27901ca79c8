"""Reads chat completions, as OpenAI-compatible servers send them, as draws."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grm_plugin.engine import Draw, SampleRequest
from grm_plugin.engines.usage import Usage
from grm_plugin.errors import EngineError, TransportError, quoted
from grm_plugin.local.tokens import aligned, merged
from grm_plugin.remote.http import Answer
from grm_plugin.types import Token


def read_draws(answer: Answer, request: SampleRequest) -> list[Draw | EngineError]:
    """The draws in an answer, by index; an error in place of one that can not be used.

    Raises:
        TransportError: this is no chat completion, or one with another number of draws.
    """
    n = request.n
    try:
        found = sorted(answer.value["choices"], key=lambda choice: int(choice.get("index", 0)))
        usage = Usage.told(answer.value.get("usage"))
        if len(found) != n:
            raise TransportError(f"expected {n} choices from the judge server, got {len(found)}")
        draws = [_draw(choice, logprobs=bool(request.logprobs)) for choice in found]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise TransportError(
            f"expected a chat completion from the judge server, got {quoted(answer.value, 300)}"
        ) from None
    return usage.share(draws, answer.seconds)


def _draw(choice: Mapping[str, Any], *, logprobs: bool) -> Draw | EngineError:
    reason = choice.get("finish_reason")
    if reason not in ("stop", "length"):
        return TransportError(f"the judge server ended a draw for the reason {quoted(reason)}")
    text = _text(choice["message"])
    if not logprobs:
        return Draw(text, reason)
    told = (choice.get("logprobs") or {}).get("content")
    if told is None:
        return TransportError(
            "the judge server was asked for the probabilities of tokens (logprobs) and told none"
        )
    return Draw(text, reason, tokens=aligned([_token(one) for one in told], text))


def _token(told: Mapping[str, Any]) -> Token:
    top = ((str(one["token"]), float(one["logprob"])) for one in told.get("top_logprobs") or ())
    text, logprob = str(told["token"]), float(told["logprob"])
    return Token(text, logprob, {text: logprob, **merged(top)})


def _text(message: Mapping[str, Any]) -> str:
    """The whole text, with what the server took out as thinking put back in its marks."""
    content = message.get("content") or ""
    thinking = message.get("reasoning_content") or message.get("reasoning")
    if not all(isinstance(part, str) for part in (content, thinking or "")):
        raise TypeError("content that is not text")
    return f"<think>{thinking}</think>{content}" if thinking else content
