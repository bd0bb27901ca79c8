"""Refreshes a scalar RM from the verdicts of a training that goes on. Imports torch late."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from grm_plugin.errors import ConfigError, quoted
from grm_plugin.running.file_lock import lock
from grm_plugin.spct.classifier_settings import check_folder
from grm_plugin.spct.following import Following, Read
from grm_plugin.spct.refresh_pool import RefreshPool
from grm_plugin.spct.refresh_settings import Refreshing
from grm_plugin.spct.scalar_data import ScalarTable
from grm_plugin.spct.versions import newest, point, publish, say_begun, version_name

if TYPE_CHECKING:
    from grm_plugin.spct.refresh_model import RefreshModel

STATE = "refresh.json"
"""The file in a version's folder that says what it was made of."""
LOG = "versions.jsonl"
"""The file beside the versions with a line for each that ever was."""


@dataclass(frozen=True, slots=True)
class Version:
    """What a version was made of, and what it knows.

    Args:
        number: 0 is the base as it was given.
        new, replayed: groups that it was trained on.
        loss: mean training loss, in nats a pair; None of version 0.
        accuracy: share of held-out pairs in their order, 0..1, of groups that came for this version
            and the one before; None where there are too few.
        pairs: of these.
        seconds: that its training took.
    """

    number: int
    new: int = 0
    replayed: int = 0
    loss: float | None = None
    accuracy: float | None = None
    pairs: int = 0
    seconds: float = 0.0


Tell = Callable[[Version], None]


def refresh(
    settings: Refreshing,
    pool: RefreshPool,
    model: Callable[[Path | None], RefreshModel],
    tell: Tell,
) -> None:
    """Make one version after another until the record's writer is gone for long.

    Args:
        settings: how.
        pool: what the record gets.
        model: loads the folder of a version; None: the base.
        tell: called with every version that is there.

    Raises:
        ConfigError: the folder holds another refresh, or another process refreshes there.
        InputError, RecordError: the record can not be learned from.
        EngineError, TrainingError: the model can not be loaded, or trained.
    """
    with _alone(settings.folder):
        one = _Refresh(settings, pool, model, tell)
        one.begin()
        say_begun(settings.folder)
        while one.goes_on():
            time.sleep(settings.poll_s)


class _Refresh:
    def __init__(
        self,
        settings: Refreshing,
        pool: RefreshPool,
        model: Callable[[Path | None], RefreshModel],
        tell: Tell,
    ) -> None:
        self._settings, self._pool, self._tell = settings, pool, tell
        self._load, self._grew = model, time.monotonic()

    def begin(self) -> None:
        """Load the newest version and remember what it knows; else publish the base."""
        self._number = newest(self._settings.folder)
        if self._number is None:
            self._model = self._load(None)
            self._publish(Version(0))
            return
        folder = self._settings.folder / version_name(self._number)
        read, version = _noted(folder / STATE)
        self._pool.remember(read)
        self._model = self._load(folder)
        point(self._settings.folder, self._number)  # a kill may have come before it,
        if self._number not in _logged(self._settings.folder / LOG):  # or before that
            self._log(version)

    def goes_on(self) -> bool:
        """Read the record, make a version if there is enough, and say whether to wait for more."""
        if self._pool.grow():
            self._grew = time.monotonic()
        if len(self._pool.new) >= self._settings.every:
            self._train()
            self._grew = time.monotonic()
        return time.monotonic() - self._grew < self._settings.idle_s

    def _train(self) -> None:
        started, number = time.monotonic(), (self._number or 0) + 1
        new, replayed = self._pool.taken(number)
        loss = self._model.train([*new, *replayed], number)
        accuracy, pairs = self._model.look(list(self._pool.held_out), self._pool.present)
        seconds = round(time.monotonic() - started, 1)
        self._publish(Version(number, len(new), len(replayed), loss, accuracy, pairs, seconds))

    def _publish(self, version: Version) -> None:
        state = {**self._pool.state, **asdict(version)}

        def write(folder: Path) -> None:
            self._model.save(folder)
            (folder / STATE).write_text(json.dumps(state, indent=2) + "\n", encoding="utf-8")

        publish(self._settings.folder, version.number, write, keep=self._settings.keep)
        self._number = version.number
        self._log(version)
        self._tell(version)

    def _log(self, version: Version) -> None:
        with (self._settings.folder / LOG).open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(version)) + "\n")


def _noted(path: Path) -> tuple[dict[str, Read], Version]:
    """What stands beside a version: how far the record was read, and what was made of it."""
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
        read = {name: Read(*found) for name, found in state["read"].items()}
        return read, Version(**{name: state[name] for name in Version.__slots__})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"{path}: expected how far the record was read, got {quoted(error, 200)}; choose "
            "another folder"
        ) from error


def _logged(path: Path) -> set[int]:
    """The versions that have a whole line in the log; what a kill tore off is dropped."""
    if not path.is_file():
        return set()
    text = path.read_bytes()
    whole = text[: text.rfind(b"\n") + 1]
    if whole != text:
        path.write_bytes(whole)
    try:
        return {json.loads(line)["number"] for line in whole.splitlines()}
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"{path}: expected a version a line, got {quoted(error, 200)}; move it away"
        ) from error


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process refreshes in a folder at a time."""
    path = folder / ".lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            lock(file)
            yield
    except OSError as error:
        raise ConfigError(f"{folder} can not be refreshed: {error.strerror or error}") from error


def pool_of(settings: Refreshing, record: Path, table: ScalarTable) -> RefreshPool:
    """What ``record`` gets, for a refresh into the folder of ``settings``.

    Raises:
        ConfigError: the folder holds a refresh with other settings, or from another record.
    """
    check_folder(settings, str(record))
    return RefreshPool(Following(record), settings, table)
