"""Rows of Parquet files and of data sets that ``datasets`` reads, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from grm_plugin.errors import not_installed, on_one_line, unknown
from grm_plugin.hosts.inputs.lines import Row, UnreadableError

HUB = "hub:"
_BATCH = 64
_EXTRA = "data"


def parquet(path: Path) -> Iterator[Row]:
    """The rows of a Parquet file.

    Raises:
        EngineError: ``pyarrow`` is not installed.
        InputError: it is no Parquet file.
    """
    arrow = _imported("pyarrow.parquet", str(path))
    # ValueError: a text that is no Unicode
    failures = (_imported("pyarrow", str(path)).ArrowException, OSError, ValueError)
    try:
        # it would read the whole file ahead
        with arrow.ParquetFile(path, pre_buffer=False) as file:
            yield from _numbered(file.iter_batches(batch_size=_BATCH))
    except failures as error:
        raise UnreadableError(f"can not be read as Parquet: {_first_line(error)}") from error


def load(name: str, split: str | None) -> Any:
    """A data set: a saved one, a folder of files, or one of the hub.

    Args:
        name: a folder, or ``hub:owner/name``, which may go on with ``:split`` or ``:config:split``.
        split: which part of it; None where there is only one.

    Raises:
        EngineError: ``datasets`` is not installed.
        InputError: it can not be loaded, or has several splits and none, or another, is named.
    """
    datasets = _imported("datasets", name)
    with _telling_why():
        return _loaded(datasets, name, split)


def rows_of(table: Any) -> Iterator[Row]:
    """The rows of what :func:`load` gave; pictures are not decoded.

    Raises:
        InputError: a file of it can not be read.
    """
    with _telling_why():
        yield from _numbered(table.with_format("arrow").iter(batch_size=_BATCH))


@contextmanager
def _telling_why() -> Iterator[None]:
    try:
        yield
    except UnreadableError:
        raise
    except Exception as error:  # of files, formats, HTTP clients and of the hub
        why = f"{type(error).__name__}: {_first_line(error)}"
        raise UnreadableError(f"can not be loaded: {why}") from error


def is_saved(folder: Path) -> bool:
    """Whether ``Dataset.save_to_disk`` or ``DatasetDict.save_to_disk`` made a folder."""
    return any((folder / name).is_file() for name in ("state.json", "dataset_dict.json"))


def _loaded(datasets: Any, name: str, split: str | None) -> Any:
    if name.startswith(HUB):
        hub, config, split = _on_the_hub(name, split)
        return _of_split(datasets.load_dataset(hub, config), split)
    if is_saved(Path(name)):
        return _of_split(datasets.load_from_disk(name), split)
    return _of_split(datasets.load_dataset(name), split)


def _on_the_hub(name: str, split: str | None) -> tuple[str, str | None, str | None]:
    """Its name there, its configuration and its split."""
    hub, *more = name.removeprefix(HUB).split(":")
    if split is None and more:
        *more, split = more
    if len(more) > 1:
        raise UnreadableError("is not written as hub:owner/name, with :split or :config:split")
    return hub, more[0] if more else None, split


def _of_split(found: Any, split: str | None) -> Any:
    if not isinstance(found, dict):
        if split is None or split == str(found.split):
            return found
        raise UnreadableError(f"has no splits; leave out --split {split}")
    if split is None and len(found) == 1:
        return next(iter(found.values()))
    if split is None:
        raise UnreadableError(f"has the splits {', '.join(found)}; name one with --split")
    if split not in found:
        raise UnreadableError(f"has no such split: {unknown('split', split, found)}")
    return found[split]


def _numbered(batches: Iterable[Any]) -> Iterator[Row]:
    number = 0
    for batch in batches:
        for row in batch.to_pylist():
            number += 1
            yield f"row {number}", row


def _imported(module: str, name: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise not_installed(f"input {name!r}", _EXTRA, error) from error


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return on_one_line(lines[0][:300]) if lines else type(error).__name__
