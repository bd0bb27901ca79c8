"""Logits that are kept while a rating runs, so that one that was killed goes on."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

from grm_plugin.errors import ConfigError
from grm_plugin.types import digest


class KeptLogits:
    """A file with one line a text that is rated.

    Args:
        path: of the file; it need not be there, and its last line may be cut.
        rater: who rates; logits of another one are not taken.

    Raises:
        ConfigError: the file can not be read.
    """

    def __init__(self, path: Path, rater: str) -> None:
        self._path, self._rater = path, rater
        self._known: dict[str, float] = {}
        try:
            lines = path.read_bytes().splitlines() if path.exists() else []
        except OSError as error:
            raise ConfigError(f"{path} can not be read: {error.strerror or error}") from error
        for line in lines:
            self._known.update(_read(line))

    def of(self, text: str) -> float | None:
        """The logit of ``text``; None where it is not rated yet."""
        return self._known.get(self._name(text))

    def keep(self, texts: Sequence[str], logits: Sequence[float]) -> None:
        """Write down the logits of ``texts``; NaN, which was not given, is asked for again.

        Raises:
            ConfigError: the file can not be written.
        """
        found = {self._name(text): logit for text, logit in zip(texts, logits, strict=True)}
        found = {name: logit for name, logit in found.items() if not math.isnan(logit)}
        self._known |= found
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                # A line of its own, whatever stands before it: a killed run may have cut the last.
                file.writelines(f"\n{json.dumps(one)}\n" for one in found.items())
        except OSError as error:
            raise ConfigError(
                f"{self._path} can not be written: {error.strerror or error}"
            ) from error

    def forget(self) -> None:
        """Remove the file: what it was for is done."""
        self._path.unlink(missing_ok=True)

    def _name(self, text: str) -> str:
        return digest(f"{self._rater}\0{text}")


def _read(line: bytes) -> dict[str, float]:
    try:
        name, logit = json.loads(line)
        return {str(name): float(logit)}
    except (ValueError, TypeError):
        return {}
