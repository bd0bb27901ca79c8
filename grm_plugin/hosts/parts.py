"""Parts of a message: texts, and what a judge of texts can not see."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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

        >>> Unseen.of("image", "cat.png") == Unseen.of("image", "dog.png")
        False
        """
        return cls(_KIND.get(kind, kind), digest(value))

    def __str__(self) -> str:
        return f"[{self.kind} {self.key[:12]}, not shown]" if self.key else f"[{self.kind}]"


def part_of(part: Any, *, thinking: bool) -> str | Unseen | None:
    """The text of a part, None for thinking that is not wanted, or that it can not be seen.

    Args:
        part: a text, or a mapping with ``type``.
        thinking: whether thinking is wanted.

    Raises:
        TypeError: it is neither.
    """
    if isinstance(part, str):
        return part
    if not isinstance(part, Mapping):
        raise TypeError(part)
    kind = str(part.get("type", "part"))
    if kind in _THOUGHTS:
        return f"<think>{part.get(kind) or part.get('text') or ''}</think>" if thinking else None
    for key in _TEXTS:
        if isinstance(part.get(key), str):
            return str(part[key])
    return Unseen.of(kind, {key: value for key, value in part.items() if key != "type"})


def digest(value: Any) -> str:
    """Hex digest of what ``value`` holds, the same in every process; empty for nothing."""
    if value is None or value == {} or value == []:
        return ""
    found = hashlib.blake2b(digest_size=16)
    for piece in _pieces(value):
        found.update(len(piece).to_bytes(8, "big") + piece)
    return found.hexdigest()


def _pieces(value: Any) -> list[bytes]:
    if isinstance(value, bytes | bytearray | memoryview):
        return [bytes(value)]
    if isinstance(value, Mapping):
        pairs = sorted((str(key), inner) for key, inner in value.items() if inner is not None)
        return [piece for key, inner in pairs for piece in (key.encode(), *_pieces(inner))]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [piece for inner in value for piece in _pieces(inner)]
    if isinstance(value, os.PathLike):
        return [os.fspath(value).encode()]
    if hasattr(value, "detach"):  # a tensor, whose repr leaves most of it out
        value = value.detach().cpu().__array__()
    if hasattr(value, "tobytes"):  # an image, or an array
        shape = [getattr(value, name, None) for name in ("mode", "size", "shape", "dtype")]
        return [repr(shape).encode(), value.tobytes()]
    return [repr(value).encode()]
