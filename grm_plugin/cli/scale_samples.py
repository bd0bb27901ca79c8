"""Where ``grm scale`` takes its verdicts from: a judge that is asked once, or records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grm_plugin.cli.earlier import check_same_settings
from grm_plugin.cli.judging import judge
from grm_plugin.cli.output import continued
from grm_plugin.cli.source import Source
from grm_plugin.config import GRMConfig
from grm_plugin.errors import InputError, quoted
from grm_plugin.evaluation.truth import label_of
from grm_plugin.grm import GRM
from grm_plugin.hosts.inputs.opening import Input
from grm_plugin.hosts.recorded import records_of
from grm_plugin.pipeline.rating import RatingOptions
from grm_plugin.records import is_record, read_verdicts
from grm_plugin.report.terminal import say
from grm_plugin.types import Cost, Group, Verdict

RECORD, GREEDY_RECORD = "samples.jsonl", "greedy.jsonl"
_ONE_JUDGE = "give the records of one judge"


@dataclass(frozen=True)
class Judged:
    """Verdicts of one judge on labelled groups.

    Args:
        samples: with several samples each.
        greedy: at temperature 0; may be none.
    """

    samples: tuple[Verdict, ...]
    greedy: tuple[Verdict, ...]

    @property
    def origin(self) -> Mapping[str, Any]:
        """How the samples were made."""
        return self.samples[0].origin


def sampled(
    config: GRMConfig,
    groups: Input,
    folder: Path,
    *,
    greedy: bool,
    limit: int | None = None,
    clusters: Sequence[str] = (),
) -> Judged:
    """Ask the judge for what ``folder`` does not hold yet, with a label for every group.

    Args:
        config: the judge, with k samples; how it stops early is not asked.
        groups: labelled ones.
        folder: gets the records.
        greedy: whether it also judges every group once at temperature 0.
        limit: only so many groups.
        clusters: names that the metadata of a group must have.

    Raises:
        InputError: a group has no label, or lacks a name to cluster by; none was judged then.
        GRMError: as ``grm score``.
    """
    check = Labelled(clusters)
    many = config.but(stop="fixed", select=rating(config), min_valid=None)
    say(f"{many.k} samples of each group:")
    spent = _judged(many, groups, folder / RECORD, check, limit, Cost())
    found = with_samples(read_verdicts(folder / RECORD))
    if not greedy:
        return Judged(found, ())
    one = many.but(k=1, temperature=0.0, select="all", permutations=None)
    say("one greedy judgment of each group:")
    _judged(one, groups, folder / GREEDY_RECORD, check, limit, spent)
    return Judged(found, with_samples(read_verdicts(folder / GREEDY_RECORD)))


def rating(config: GRMConfig) -> dict[str, Any]:
    """The selector that has every judgment rated; one that selects nothing without a meta RM."""
    given = config.select.options
    if "classifier" not in given:
        return {"name": "all"}
    asked = {name: given[name] for name in RatingOptions.model_fields if name in given}
    return {"name": "meta_rm", **asked}


def _judged(
    config: GRMConfig,
    groups: Input,
    path: Path,
    check: Labelled,
    limit: int | None,
    spent: Cost,
) -> Cost:
    """Judge what ``path`` lacks; what all of it cost, and what was spent before."""
    with GRM(config) as grm:

        def allowed(group: Group) -> None:
            check(group)
            grm.check_group(group)

        rows = Source(groups, allowed, limit)
        grm.spend(spent)
        with closing(continued(path, config, unscored=False)) as out:
            return spent + judge(grm, rows, out).cost


class Labelled:
    """Refuses a group that has no label, or lacks a name to cluster by."""

    def __init__(self, clusters: Sequence[str]) -> None:
        self._clusters = clusters

    def __call__(self, group: Group) -> None:
        """Raises InputError."""
        label_of(group)
        for name in self._clusters:
            if group.metadata.get(name) is None:
                known = ", ".join(sorted(map(str, group.metadata)))
                raise InputError(f"--cluster: expected a {quoted(name)}, got only {known}")


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
    """Those that the judge was asked about; the others are told."""
    found = list(verdicts)
    asked = tuple(one for one in found if one.judgments or one.failures)
    if len(asked) < len(found):
        missing = next(one for one in found if not (one.judgments or one.failures))
        say(
            f"left out: {len(found) - len(asked)} groups that were not judged, such as "
            f"{missing.group.label}: {missing.unscored}"
        )
    if found and not asked:
        raise InputError("none of the groups was judged; the reasons are in the records")
    return asked
