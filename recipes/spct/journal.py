"""What was run, with which command, and how long it took: one JSON file."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from grm_plugin.errors import ConfigError


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
        self._entries: dict[str, dict[str, Any]] = {}
        if path.exists():
            try:
                self._entries = json.loads(path.read_text(encoding="utf-8"))
            except ValueError as error:
                raise ConfigError(f"journal {path} can not be read: {error}") from error

    def begin(self, name: str, command: Sequence[str]) -> None:
        """Keep that ``command`` was started."""
        entry = self._entries.setdefault(name, {"runs": 0, "seconds": 0.0})
        entry |= {"command": list(command), "runs": entry["runs"] + 1, "finished": None}
        self._write()

    def end(self, name: str, seconds: float, *, done: bool) -> None:
        """Add the ``seconds`` of one run. Those of a run that was killed with us are lost."""
        entry = self._entries[name]
        entry["seconds"] = round(entry["seconds"] + seconds, 1)
        entry["finished"] = time.time() if done else None
        self._write()

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

    def _write(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        whole = self.path.with_name(f"{self.path.name}.part")
        whole.write_text(json.dumps(self._entries, indent=1) + "\n", encoding="utf-8")
        whole.replace(self.path)
