"""Reads chat completions, as OpenAI-compatible servers send them, as draws.

Servers agree on little but the outline, so nothing here is taken for granted. What is not the
judge's text costs no draw: counts are read leniently, and places that are missing or double are
those in the list. What can not be read is an error in place of its own draw alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from grm_plugin.engine import Draw, SampleRequest
from grm_plugin.errors import EngineError, TransportError, quoted
from grm_plugin.local.tokens import aligned, merged
from grm_plugin.remote.http import Answer
from grm_plugin.remote.usage import Usage
from grm_plugin.types import Token

_ENDED = {
    **dict.fromkeys(("stop", "eos", "eos_token", "end_turn", "stop_sequence", "end"), "stop"),
    **dict.fromkeys(("length", "max_tokens", "model_length", "max_output_tokens"), "length"),
    **dict.fromkeys(("tool_calls", "tool_use", "function_call"), "tool_calls"),
    **dict.fromkeys(("content_filter", "safety", "recitation", "blocklist"), "content_filter"),
    **dict.fromkeys(("prohibited_content", "spii", "content_filtered"), "content_filter"),
    "refusal": "refusal",
}
"""The words for the end of a text, in lower case, of the servers there are."""

_FIELDS = (
    *(("reasoning_content", "thinking"), ("reasoning", "thinking")),
    ("refusal", "refusal"),
)
_KINDS = {
    **dict.fromkeys(("text", "output_text"), "text"),
    **dict.fromkeys(("thinking", "reasoning"), "thinking"),
    "refusal": "refusal",
}
"""What the parts of a content are, by their types."""

_CALLS = ("tool_calls", "function_call")


def read_draws(answer: Answer, request: SampleRequest) -> list[Draw | EngineError]:
    """The draws in an answer, by index; an error in place of one that can not be used.

    Returns:
        At least one, and no more than were asked for; some servers give fewer.

    Raises:
        TransportError: this is no chat completion, or one without a choice.
    """
    choices = choices_in(answer.value)[: request.n]
    usage = Usage.told(answer.value.get("usage"))
    cut = len(choices) == 1 and usage.output >= request.sampling.max_tokens
    draws = [_read(choice, cut=cut, logprobs=bool(request.logprobs)) for choice in choices]
    return usage.share(draws, answer.seconds)


def choices_in(value: Any) -> Sequence[Any]:
    """The choices of a chat completion, by index where they have one.

    Raises:
        TransportError: this is no chat completion, or one without a choice.
    """
    choices = value.get("choices") if isinstance(value, Mapping) else None
    if not isinstance(choices, list) or not choices:
        raise TransportError(
            f"expected a chat completion from the judge server, got {quoted(value, 300)}"
        )
    places = [one.get("index") if isinstance(one, Mapping) else None for one in choices]
    if set(map(type, places)) != {int} or len(set(places)) != len(places):
        return choices
    by_index: dict[Any, Any] = dict(zip(places, choices, strict=True))
    return [by_index[place] for place in sorted(by_index)]


def _read(choice: Any, *, cut: bool, logprobs: bool) -> Draw | EngineError:
    try:
        return _draw(choice, cut=cut, logprobs=logprobs)
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError):
        return TransportError(
            f"expected a choice of a chat completion from the judge server, got "
            f"{quoted(choice, 300)}"
        )


def _draw(choice: Mapping[str, Any], *, cut: bool, logprobs: bool) -> Draw | EngineError:
    """One draw.

    Args:
        choice: as the server sent it.
        cut: whether it has as many tokens as it may, in case the server does not say how it ended.
        logprobs: whether the probabilities of tokens were asked for.
    """
    reason = _reason(choice.get("finish_reason"), cut=cut)
    message = choice["message"]
    text, refusal = _texts(message)
    if reason is None:
        return TransportError(
            "the judge server ended a draw for the reason "
            f"{quoted(choice.get('error') or choice['finish_reason'], 200)}"
        )
    if refusal:
        return Draw(text or refusal, "refusal")
    if reason == "stop" and not text and any(message.get(name) for name in _CALLS):
        reason = "tool_calls"
    if not logprobs or reason not in ("stop", "length"):
        return Draw(text, reason)
    told = (choice.get("logprobs") or {}).get("content")
    if told is None and reason == "length":  # nobody reads it
        return Draw(text, reason)
    if told is None:
        return TransportError(
            "the judge server was asked for the probabilities of tokens (logprobs) and told none"
        )
    return Draw(text, reason, tokens=aligned([_token(one) for one in told], text))


def _reason(told: Any, *, cut: bool) -> str | None:
    """Our word for how a text ended; None for an end that is none of a text."""
    if told is None or told == "":
        return "length" if cut else "stop"
    return _ENDED.get(told.lower())


def _token(told: Mapping[str, Any]) -> Token:
    top = ((str(one["token"]), _logprob(one)) for one in told.get("top_logprobs") or ())
    text, logprob = str(told["token"]), _logprob(told)
    return Token(text, logprob, {text: logprob, **merged(top)})


def _logprob(told: Mapping[str, Any]) -> float:
    logprob = float(told["logprob"])
    if not logprob <= 1:  # a little over 0 is rounding
        raise ValueError("expected the logarithm of a probability")
    return logprob


def _texts(message: Mapping[str, Any]) -> tuple[str, str]:
    """The whole text, with what the server took out as thinking back in its marks; the refusal."""
    said: dict[str, str] = {"text": "", "thinking": "", "refusal": ""}
    for name, kind in _FIELDS:
        if isinstance(message.get(name), str):
            said[kind] = said[kind] or message[name]
    for text, kind in _parts(message.get("content")):
        said[kind] += text
    thinking, text = said["thinking"], said["text"]
    return f"<think>{thinking}</think>{text}" if thinking else text, said["refusal"]


def _parts(content: Any) -> Iterator[tuple[str, str]]:
    """The texts of a content and their kinds; TypeError for what is no text."""
    if isinstance(content, str):
        yield content, "text"
    elif isinstance(content, list):
        for part in content:
            yield from _part(part)
    elif content is not None:
        raise TypeError("content that is not text")


def _part(part: Any) -> Iterator[tuple[str, str]]:
    kind = _KINDS[part.get("type", "text")]
    held = next((part[name] for name in (part.get("type"), "text") if name in part), None)
    yield "".join(text for text, _ in _parts(held)), kind
