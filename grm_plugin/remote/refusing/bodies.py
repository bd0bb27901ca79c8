"""What the body of a refusal says in the server's own words, wherever it puts them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from grm_plugin.remote.refusing.blame import own_words

_CODES = ("code", "type", "status", "error_type")


@dataclass(frozen=True, slots=True)
class Said:
    """What a server says is wrong.

    Args:
        message: in a sentence, which may quote the request.
        codes: names of the fault, which never quote it.
    """

    message: str
    codes: str = ""

    @property
    def words(self) -> str:
        """The message up to where it quotes the request, and the codes."""
        return f"{own_words(self.message)} {self.codes}".strip()

    @classmethod
    def of(cls, body: str) -> Said:
        """What ``body`` says.

        >>> Said.of('{"error": {"message": "too long", "code": "context_length_exceeded"}}')
        Said(message='too long', codes='context_length_exceeded')
        """
        try:
            layers = _layers(json.loads(body))
        except (ValueError, RecursionError):
            return cls(body)
        codes = [code for layer in layers for code in _texts(layer, _CODES)]
        said = cls(_sentence(layers[-1]), " ".join(codes))
        around = [layer.get("metadata") for layer in layers if isinstance(layer, dict)]
        for raw in (raw for more in around for raw in _texts(more, ("raw",))):
            inner = cls.of(raw)  # OpenRouter, of the provider behind it
            said = cls(f"{said.message}: {inner.message}", f"{said.codes} {inner.codes}".strip())
        return said


def _layers(found: Any) -> list[Any]:
    """The objects around the message, from outside in, and the message."""
    layers = [found[0] if isinstance(found, list) and len(found) == 1 else found]  # Gemini
    for key in ("error", "message", "detail"):
        if isinstance(layers[-1], dict) and layers[-1].get(key):
            layers.append(layers[-1][key])
    return layers


def _texts(found: Any, names: tuple[str, ...]) -> list[str]:
    values = [found.get(name) for name in names] if isinstance(found, dict) else []
    return [value for value in values if isinstance(value, str)]


def _sentence(found: Any) -> str:
    if isinstance(found, str):
        return found
    try:  # of pydantic, whose ``input`` is what was sent
        return "; ".join(f"{_place(one['loc'])!r}: {one['msg']}" for one in found)
    except (KeyError, TypeError):
        return json.dumps(found)


def _place(loc: list[Any]) -> str:
    return ".".join(str(step) for step in loc if step != "body")
