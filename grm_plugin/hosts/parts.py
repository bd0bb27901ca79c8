"""Parts of a message: texts, thinking, and what a judge of texts can not see."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from grm_plugin.hosts.labels import one_line
from grm_plugin.hosts.values import Place, check_depth, refused

_TEXTS = ("text", "refusal")
_THOUGHTS = ("thinking", "reasoning")
_KIND = {"image_url": "image", "input_image": "image", "input_audio": "audio", "video_url": "video"}


@dataclass(frozen=True, slots=True)
class Unseen:
    """A part that a judge of texts can not see.

    Args:
        kind: ``image``, ``audio``, or what its type says.
        key: hex digest of what it holds: its bytes, pixels, path or address. Equal parts have equal
            keys in every process; empty where it holds nothing.
    """

    kind: str
    key: str = ""

    @classmethod
    def of(cls, kind: str, value: Any) -> Unseen:
        """A part from what a host hands over: bytes, a path, an image object, or a mapping of them.

        Raises:
            InputError: it is nested too deep.

        >>> Unseen.of("image", "cat.png") == Unseen.of("image", "dog.png")
        False
        """
        check_depth(value, (kind,))
        return cls(_KIND.get(kind, kind), digest(value))

    def __str__(self) -> str:
        kind = one_line(self.kind)
        return f"[{kind} {self.key[:12]}, not shown]" if self.key else f"[{kind}]"


@dataclass(frozen=True, slots=True)
class Thought:
    """A part that is thinking."""

    text: str


Part = str | Thought | Unseen


def part_of(part: Any, at: Place) -> Part:
    """A part of a message: a text, thinking, or what can not be seen.

    Args:
        part: a text, or a mapping with ``type``; a mapping with a text in it is that text.
        at: where it stands.

    Raises:
        InputError: it is neither, its type is no text, or it is a text part without a text.
    """
    if isinstance(part, str):
        return part
    if not isinstance(part, Mapping):
        raise refused(at, "a text or a part with a type", part)
    kind = _kind(part, at)
    if kind in _THOUGHTS:
        thought = part.get(kind) or part.get("text") or ""
        return Thought(_text(thought, (*at, kind)))
    for key in _TEXTS:
        if isinstance(part.get(key), str):
            return str(part[key])
    if kind in _TEXTS:
        raise refused((*at, kind), "a text", part.get(kind))
    return Unseen.of(kind, {key: value for key, value in part.items() if key != "type"})


def _kind(part: Mapping[Any, Any], at: Place) -> str:
    kind = part.get("type")
    return "part" if kind is None else _text(kind, (*at, "type"))


def _text(value: Any, at: Place) -> str:
    if isinstance(value, str):
        return value
    raise refused(at, "a text", value)


def digest(value: Any) -> str:
    """Hex digest of what ``value`` holds, the same in every process; empty for nothing."""
    if value is None or value == {} or value == []:
        return ""
    found = hashlib.blake2b(digest_size=16)
    for piece in _pieces(value):
        found.update(len(piece).to_bytes(8, "big") + piece)
    return found.hexdigest()


def _pieces(value: Any) -> Iterator[bytes]:
    if isinstance(value, bytes | bytearray | memoryview):
        yield bytes(value)
    elif isinstance(value, Mapping):
        pairs = ((_name(key), inner) for key, inner in value.items() if inner is not None)
        for name, inner in sorted(pairs, key=itemgetter(0)):
            yield name
            yield from _pieces(inner)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for inner in value:
            yield from _pieces(inner)
    elif isinstance(value, os.PathLike):
        yield os.fsencode(value)
    else:
        yield from _blob(value)


def _blob(value: Any) -> Iterator[bytes]:
    if hasattr(value, "detach"):  # a tensor, whose repr leaves most of it out
        value = value.detach().cpu().__array__()
    if hasattr(value, "tobytes"):  # an image, or an array
        yield repr(
            [getattr(value, name, None) for name in ("mode", "size", "shape", "dtype")]
        ).encode()
        yield value.tobytes()
    else:
        yield _shown(value).encode()


def _shown(value: Any) -> str:
    try:
        return repr(value)
    except Exception:  # its own, or a number of too many digits
        return hex(value) if isinstance(value, int) else type(value).__name__


def _name(key: Any) -> bytes:
    return str(key).encode(errors="surrogatepass")
