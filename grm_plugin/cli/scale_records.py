"""Verdicts of one judge on labelled groups, from records: the one reader of what goes by them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grm_plugin.cli.earlier import check_same_settings, key
from grm_plugin.errors import InputError
from grm_plugin.evaluation.whole import shown_whole
from grm_plugin.hosts.recorded import records_of
from grm_plugin.records import is_record, read_verdicts
from grm_plugin.report.terminal import say
from grm_plugin.types import Sample, Verdict

RECORD, GREEDY_RECORD, RATED_RECORD = "samples.jsonl", "greedy.jsonl", "rated.jsonl"
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
    if path.is_dir() and ((path / RECORD).is_file() or any(path.glob("*.jsonl"))):
        return _files_of(path)
    return [path] if path.is_file() else []


def _files_of(path: Path) -> list[Path]:
    """The records that ``path`` names; of a folder of ``grm scale`` what it measured on."""
    if path.is_dir() and (path / RECORD).is_file():
        ours = (path / name for name in (RECORD, GREEDY_RECORD))
        return [file for file in ours if file.is_file()]
    return records_of(path)


def samples_of(sources: Sequence[Path]) -> tuple[Verdict, ...]:
    """The verdicts with several samples in records, in folders of them or of ``grm scale``.

    Of a folder in which a meta RM rated the judgments later on, those are taken.

    Raises:
        InputError: as :func:`from_records`.
    """
    return from_records([file for one in sources for file in _rated_of(one)]).samples


def _rated_of(path: Path) -> list[Path]:
    rated = path / RATED_RECORD
    return [rated] if rated.is_file() else _files_of(path)


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
            _check_same_judge(file, (some or [verdict])[0], verdict)
            some.append(verdict)
    many, one = many or one, one if many else []
    return Judged(with_samples(_once(many))[:limit], with_samples(_once(one)))


def _check_same_judge(file: Path, first: Verdict, verdict: Verdict) -> None:
    check_same_settings(str(file), first.origin, verdict.origin, _ONE_JUDGE)


def _once(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Without those that came before: the same samples of the same group tell nothing new."""
    found: dict[object, Verdict] = {}
    for one in verdicts:
        found.setdefault(_content(one), one)
    if len(found) < len(verdicts):
        say(f"left out: {len(verdicts) - len(found)} verdicts that are on record twice")
    return list(found.values())


def _content(verdict: Verdict) -> tuple[object, ...]:
    samples = ((one.sample, one.run, one.order, one.scores) for one in verdict.judgments)
    failed = ((one.sample, one.run, one.order, one.reason) for one in verdict.failures)
    return (*key(verdict.group), *sorted(samples), *sorted(failed))


def with_samples(verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """Those that the judge was asked about, whole; how many others there are is told."""
    found = [shown_whole(one) for one in verdicts]
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
