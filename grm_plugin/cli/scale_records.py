"""Verdicts that ``grm scale`` measures on, from records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grm_plugin.cli.earlier import check_same_settings
from grm_plugin.errors import InputError
from grm_plugin.hosts.recorded import records_of
from grm_plugin.records import is_record, read_verdicts
from grm_plugin.report.terminal import say
from grm_plugin.types import Sample, Verdict

RECORD, GREEDY_RECORD = "samples.jsonl", "greedy.jsonl"
_ONE_JUDGE = "give the records of one judge"


@dataclass(frozen=True)
class Judged:
    """Verdicts of one judge on labelled groups.

    Args:
        samples: with several samples each.
        greedy: at temperature 0; may be none.
        lost: groups whose judgments were lost on the way; asked for again they are judged again.
    """

    samples: tuple[Verdict, ...]
    greedy: tuple[Verdict, ...]
    lost: int = 0

    @property
    def origin(self) -> Mapping[str, Any]:
        """How the samples were made."""
        return self.samples[0].origin


def record_files(sources: Sequence[str]) -> list[Path]:
    """The records that ``sources`` name; none where it is one input of labelled groups.

    Raises:
        InputError: they are both, or several inputs.
    """
    files = [file for source in sources for file in _files(source)]
    records = [file for file in files if file.stat().st_size and is_record(file)]
    if records and len(records) == len(files):
        return records
    if records or len(sources) > 1:
        other = next(one for one in map(str, files or sources) if Path(one) not in records)
        raise InputError(f"expected one input, or records alone, got {other} beside others")
    return []


def _files(source: str) -> list[Path]:
    path = Path(source)
    if path.is_dir() and (path / RECORD).is_file():
        ours = (path / name for name in (RECORD, GREEDY_RECORD))
        return [file for file in ours if file.is_file()]
    if path.is_dir() and any(path.glob("*.jsonl")):
        return records_of(path)
    return [path] if path.is_file() else []


def from_records(files: Sequence[Path], limit: int | None = None) -> Judged:
    """The verdicts in ``files``; those at temperature 0 are the greedy ones.

    Raises:
        RecordError: a file can not be read.
        InputError: they are of several judges, or none has samples.
    """
    many: list[Verdict] = []
    one: list[Verdict] = []
    for file in files:
        for verdict in read_verdicts(file):
            some = one if verdict.origin.get("temperature") == 0 else many
            check_same_settings(
                str(file), (some or [verdict])[0].origin, verdict.origin, _ONE_JUDGE
            )
            some.append(verdict)
    many, one = many or one, one if many else []
    return Judged(with_samples(many)[:limit], with_samples(one))


def with_samples(verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """Those that the judge was asked about, whole; how many others there are is told."""
    found = list(verdicts)
    unasked = [one for one in found if not one.drawn]
    in_parts = [one for one in found if _is_in_parts(one)]
    if unasked:
        first = unasked[0]
        say(
            f"left out: {len(unasked)} groups that were not judged, such as {first.group.label}: "
            f"{first.unscored}"
        )
    if in_parts:
        say(
            f"left out: {len(in_parts)} groups that were judged in parts (pairs, each response "
            f"alone, or split to fit the context), such as {in_parts[0].group.label}"
        )
    whole = tuple(one for one in found if one.drawn and not _is_in_parts(one))
    if found and not whole:
        raise InputError("none of the groups was judged whole; their verdicts are in the records")
    return whole


def _is_in_parts(verdict: Verdict) -> bool:
    samples: list[Sample] = [*verdict.judgments, *verdict.failures]
    return any(one.run for one in samples)
