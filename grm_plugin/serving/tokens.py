"""The tokens that callers may send: several, by name, and changed while the server runs."""

from __future__ import annotations

import hashlib
import hmac
import logging
import math
import os
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grm_plugin.errors import ConfigError
from grm_plugin.serving.errors import Refused

logger = logging.getLogger(__name__)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_TOKEN = re.compile(r"[!-~]+")
_LOOK_EVERY_S = 1.0
_OTHERS = 0o007
_Stamp = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Token:
    """One token: the name of who has it, which may be empty, and the hash of what it says."""

    name: str
    digest: bytes = field(repr=False)

    @classmethod
    def of(cls, value: str, name: str = "") -> Token:
        """The token that says ``value``."""
        return cls(name, _digest(value.encode()))


class Tokens:
    """Who is let in. Without any token that is everybody.

    Args:
        tokens: those that count from the start.
        path: the file they came from, which is read again when it changes; None: they stay.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        tokens: Iterable[Token] = (),
        path: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tokens, self._path, self._clock = tuple(tokens), path, clock
        self._stamp = _stamp(path)
        self._looked_at = -math.inf
        self._trouble = ""

    @classmethod
    def from_file(cls, path: Path) -> Tokens:
        """The tokens of a file, one in a line, with a name before it or without.

        Lines that are empty or begin with ``#`` are passed over.

        Raises:
            ConfigError: it can not be read, others on the machine can read it too, it has no token,
                or a line is none; no line is shown.
        """
        tokens = cls(path=path)  # the stamp first: a change while it is read is seen later
        tokens._tokens = _read(path)
        return tokens

    def __bool__(self) -> bool:
        return bool(self._tokens)

    def name_of(self, headers: Iterable[tuple[bytes, bytes]]) -> str:
        """The name of the token that a call with these headers sends; empty when it has no name.

        Raises:
            Refused: 401, it sends none that is known, or more than one.
        """
        self._look_again()
        if not self._tokens:
            return ""
        sent = [value for name, value in headers if name == b"authorization"]
        scheme, _, value = (sent[0] if len(sent) == 1 else b"").partition(b" ")
        token = _match(self._tokens, value.strip(b" "))
        if scheme.lower() != b"bearer" or token is None:
            raise Refused(401, "expected the header Authorization: Bearer with this server's token")
        return token.name

    def _look_again(self) -> None:
        """Read the file where it has changed; where that fails, the tokens stay as they were."""
        if self._path is None or self._clock() - self._looked_at < _LOOK_EVERY_S:
            return
        self._looked_at = self._clock()
        stamp = _stamp(self._path)
        if stamp == self._stamp and not self._trouble:
            return
        try:
            self._tokens = _read(self._path)
        except ConfigError as error:  # tried again: what is wrong may not be in the file
            if self._trouble != (trouble := str(error)):
                logger.error("%s; the tokens stay as they were", error)
            self._trouble = trouble
        else:
            self._stamp, self._trouble = stamp, ""
            logger.warning("tokens read again: %s has %d", self._path, len(self._tokens))


def _match(tokens: Sequence[Token], sent: bytes) -> Token | None:
    """The token that was sent; looks at all of them, so that time tells nothing."""
    digest = _digest(sent)
    found = [token for token in tokens if hmac.compare_digest(token.digest, digest)]
    return found[0] if found else None


def _digest(value: bytes) -> bytes:
    return hashlib.sha256(value).digest()


def _stamp(path: Path | None) -> _Stamp | None:
    """What changes with the file; None when it is not there."""
    try:
        found = path.stat() if path else None
    except OSError:
        return None
    if found is None:
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_mode, found.st_size, found.st_ino


def _read(path: Path) -> tuple[Token, ...]:
    where = f"--token-file {path}"
    try:
        mode = path.stat().st_mode
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{where} can not be read: {error}") from error
    if os.name == "posix" and mode & _OTHERS:
        raise ConfigError(
            f"{where}: expected a file that others on this machine have no access to, got mode "
            f"{mode & 0o777:04o}; say chmod 600, or 640 for a group"
        )
    kept = ((number, line.split()) for number, line in enumerate(lines, 1))
    tokens = [
        _token(words, f"{where}, line {number}")
        for number, words in kept
        if words and not words[0].startswith("#")
    ]
    if not tokens:
        raise ConfigError(f"{where}: expected a token, got none")
    return tuple(tokens)


def _token(words: Sequence[str], where: str) -> Token:
    *names, value = words
    if len(names) > 1 or not all(map(_NAME.fullmatch, names)) or not _TOKEN.fullmatch(value):
        raise ConfigError(
            f"{where}: expected a token, or a name and a token; what came is not shown, it may be "
            "the token itself"
        )
    return Token.of(value, *names)
