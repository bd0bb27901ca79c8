"""Keys that can be used but not shown, and what takes them out of all that a server sends."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from grm_plugin.errors import ConfigError

_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
_PLACE = re.compile(r"\$\{([^{}]*)\}")
_TOLD = re.compile(r"auth|key|token|secret|cookie|passw|credential", re.IGNORECASE)
_HTML = {"&": ["amp"], "<": ["lt"], ">": ["gt"], '"': ["quot"], "'": ["apos"]}
_SHORTEST = 8  # people write words such as "EMPTY" or "none" for servers that need no key


@dataclass(frozen=True, slots=True)
class Secret:
    """A key from the environment; empty when there is none."""

    value: str = field(default="", repr=False)

    @classmethod
    def from_environment(cls, name: str | None, owner: str, option: str = "api_key_env") -> Secret:
        """The key in the environment variable ``name``; None means no key.

        ``owner`` and ``option`` are how messages call the part and its setting.

        Raises:
            ConfigError: the variable is not set or holds no key, or ``name`` looks like a key
                itself. What does not look like a name is never shown.
        """
        if name is None:
            return cls()
        if not _VARIABLE.fullmatch(name):
            raise ConfigError(
                f"{owner}: {option}: expected the name of an environment variable in upper "
                "case, such as JUDGE_API_KEY; what came is not shown, it may be the key itself"
            )
        value = os.environ.get(name, "").strip()
        if not value:
            raise ConfigError(f"{owner}: {option}: the environment variable {name} is not set")
        if not (value.isprintable() and value.isascii()):
            raise ConfigError(
                f"{owner}: {option}: the environment variable {name} holds a line break or another "
                "character that no request can carry"
            )
        return cls(value)

    def hide(self, text: str) -> str:
        """``text`` without the key; servers like to repeat it in their complaints."""
        return text.replace(self.value, "***") if self.value else text


def filled(owner: str, option: str, values: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """``values`` with the environment's in place of every ``${NAME}``, and those secrets.

    Args:
        owner: how messages call the part.
        option: how they call its setting, say ``headers``.
        values: by name; what is named like a key must take all of it from the environment.

    Raises:
        ConfigError: a variable is not set, or what looks like a key is written out; not shown.
    """
    found: dict[str, str] = {}
    secrets: list[str] = []
    for name, value in values.items():
        if _TOLD.search(name) and not _PLACE.search(value):
            raise ConfigError(
                f"{owner}: {option}.{name}: expected ${{NAME}}, the name of an environment "
                "variable that holds the key; what came is not shown"
            )
        named = [
            Secret.from_environment(variable, owner, f"{option}.{name}").value
            for variable in _PLACE.findall(value)
        ]
        rest = iter(named)
        found[name] = _PLACE.sub(lambda place, rest=rest: next(rest), value)  # type: ignore[misc]
        secrets += named
    return found, secrets


class Hiding:
    """Takes secrets out of what servers send, so that no record, log or error can hold one.

    Args:
        secrets: those of fewer than 8 characters are words, which an answer may hold, and stay.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        hidden = {one for one in secrets if len(one) >= _SHORTEST}
        shapes = ["".join(map(_written, one)) for one in sorted(hidden, key=len, reverse=True)]
        self._pattern = re.compile("|".join(shapes).encode()) if shapes else None

    def content(self, content: bytes) -> bytes:
        """``content`` without the secrets, also as JSON, a URL or HTML writes them."""
        return self._pattern.sub(b"***", content) if self._pattern else content

    def text(self, text: str) -> str:
        """``text`` without the secrets."""
        if self._pattern is None:
            return text
        return self.content(text.encode(errors="surrogatepass")).decode(errors="surrogatepass")


def _written(character: str) -> str:
    """The ways in which JSON, a URL or HTML may write one character, once or more times over.

    The longer ones are first: "%25" is a whole percent sign, not one with "25" behind it.
    """
    ways = [
        rf"\\+u(?i:{ord(character):04x})",
        "".join(rf"%(?:25)*(?i:{byte:02x})" for byte in character.encode()),
        rf"&(?:amp;)*#(?:0*{ord(character)}|[xX]0*(?i:{ord(character):x}));",
        *(f"&(?:amp;)*{name};" for name in _HTML.get(character, [])),
        rf"\\*{re.escape(character)}" if character in '"\\/' else re.escape(character),
        *(["\\+"] if character == " " else []),
    ]
    return f"(?:{'|'.join(ways)})"
