"""What was run, with which command, and how long it took: one JSON file of one process."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from grm_plugin.errors import ConfigError
from grm_plugin.running.file_lock import lock
from grm_plugin.running.whole_file import writing


class Journal:
    """One entry for every name: ``command``, ``runs``, ``seconds`` of all runs, ``finished``.

    ``finished`` is the time when it was done, in seconds since 1970, and null before.

    Args:
        path: of the file; it need not exist.

    Raises:
        ConfigError: the file is there and is no journal.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._entries = self._read()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep every other process from writing, and begin with what the last one has left.

        Raises:
            ConfigError: another process writes it now.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_name(f"{self.path.name}.lock").open("ab") as file:
            try:
                lock(file)
            except OSError as error:
                raise ConfigError(f"journal {self.path}: {error}") from error
            self._entries = self._read()
            yield

    def begin(self, name: str, command: Sequence[str]) -> None:
        """Keep that ``command`` was started."""
        entry = self._entries.setdefault(name, {"runs": 0, "seconds": 0.0})
        entry |= {"command": list(command), "runs": entry["runs"] + 1, "finished": None}
        self._write()

    def end(self, name: str, seconds: float, *, done: bool) -> None:
        """Add the ``seconds`` of one run. Those of a run that was killed with us are lost."""
        entry = self._entries[name]
        entry["seconds"] = round(entry["seconds"] + seconds, 3)
        entry["finished"] = time.time() if done else None
        self._write()

    @property
    def names(self) -> list[str]:
        """Everything that was ever started, in the order of the first start."""
        return list(self._entries)

    def command(self, name: str) -> list[str] | None:
        """What was started last under ``name``, if anything was."""
        found = self._entries.get(name)
        return found and found["command"]

    def finished(self, name: str) -> float:
        """When it was done, seconds since 1970; 0 where it is not."""
        return self._entries.get(name, {}).get("finished") or 0.0

    def seconds(self, name: str) -> float:
        """How long its runs took together, 0 and more."""
        return self._entries.get(name, {}).get("seconds", 0.0)

    def _read(self) -> dict[str, dict[str, Any]]:
        if not self.path.exists():
            return {}
        try:
            found: dict[str, dict[str, Any]] = json.loads(self.path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ConfigError(f"journal {self.path} can not be read: {error}") from error
        return found

    def _write(self) -> None:
        with writing(self.path) as file:
            file.write(json.dumps(self._entries, indent=1) + "\n")
