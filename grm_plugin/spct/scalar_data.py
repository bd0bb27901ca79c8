"""Training data of a scalar RM: labelled groups, or verdicts of a judge, as pairs of responses."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, field
from pathlib import Path

from grm_plugin.errors import InputError
from grm_plugin.evaluation.truth import truth_of
from grm_plugin.hosts.inputs.opening import Input
from grm_plugin.hosts.recorded import records_of
from grm_plugin.records import is_record, read_verdicts
from grm_plugin.spct.hinting import NAME as HINTED
from grm_plugin.spct.labelled import BadRows, to_the_end
from grm_plugin.spct.one_judge import OneJudge
from grm_plugin.spct.scalar_pairs import Compared, judged_pairs, labelled_pairs
from grm_plugin.spct.splitting import Split, Splitting
from grm_plugin.types import Verdict
from grm_plugin.types.training import EVAL, PHASE

NO_PAIR = "without two responses that differ"
NOT_JUDGED = "not judged"


@dataclass
class ScalarTable:
    """Counts what is read.

    Args:
        left_out: groups that teach nothing, by why.
        judge: whose verdicts were read; says nothing where all groups are labelled.
    """

    left_out: Counter[str] = field(default_factory=Counter)
    judge: OneJudge = field(default_factory=OneJudge)


@dataclass(frozen=True, slots=True)
class ScalarRow:
    """A group with its pairs, and whether it is trained on.

    Args:
        compared: the group.
        cluster: what it hangs together with; of several values the first that is held out.
        split: `train` or `validation`.
    """

    compared: Compared
    cluster: str
    split: Split


def scalar_rows(
    data: Sequence[str], splitting: Splitting, table: ScalarTable, **reading: object
) -> list[ScalarRow]:
    """Every group of ``data`` that has a pair, with the split that its values decide.

    Args:
        data: RM data by any name that an input may have, or records of verdicts.
        splitting: which groups are held out.
        table: counts what is left out.
        reading: further arguments of inputs of RM data.

    Raises:
        InputError: rows are bad, or verdicts are of several judges.
        RecordError: a record can not be read.
    """
    found = [one for name in data for one in _compared(name, table, reading)]
    shown = [splitting.values(one.group) for one in found]
    held_out = splitting.held_out(value for values in shown for value in values)
    return [_row(one, values, held_out) for one, values in zip(found, shown, strict=True)]


def _row(compared: Compared, values: tuple[str, ...], held_out: set[str]) -> ScalarRow:
    held = [value for value in values if value in held_out]
    return ScalarRow(compared, (held or values)[0], "validation" if held else "train")


def _compared(name: str, table: ScalarTable, reading: dict[str, object]) -> Iterator[Compared]:
    records = _records(name)
    if records is None:
        return _labelled(Input(name, **reading), table)  # type: ignore[arg-type]
    return (one for path in records for one in judged(path, table))


def _records(name: str) -> list[Path] | None:
    """The records that ``name`` means; None where it means an input of RM data."""
    path = Path(name)
    try:
        if path.is_file():
            return [path] if is_record(path) and path.stat().st_size else None
        found = records_of(path)
        return found if all(map(is_record, found)) else None
    except InputError:
        return None
    except OSError as error:
        raise InputError(f"{name} can not be read: {error.strerror or error}") from error


def _labelled(rows: Input, table: ScalarTable) -> Iterator[Compared]:
    bad = BadRows(rows.label)
    for place, found in to_the_end(rows.each()):
        if isinstance(found, InputError):
            bad.add(found)
            continue
        try:
            pairs = labelled_pairs(found, truth_of(found))
        except InputError as error:
            bad.add(InputError(f"{rows.label}, {place}: {error}"))
            continue
        if pairs:
            yield Compared(found, pairs)
        else:
            table.left_out[NO_PAIR] += 1
    bad.tell()


def judged(path: Path, table: ScalarTable) -> Iterator[Compared]:
    """The groups of a record that the judge compared.

    Raises:
        InputError: another judge did.
        RecordError: it can not be read.
    """
    for number, verdict in enumerate(read_verdicts(path), start=1):
        if one := judged_group(verdict, table, f"{path}, line {number}"):
            yield one


def judged_group(verdict: Verdict, table: ScalarTable, place: str) -> Compared | None:
    """The group of a verdict with its pairs; None, and counted, where it teaches nothing.

    Args:
        verdict: of whatever is trained; that of an evaluation is left out, for what it measures
            shall stay unknown to the reward.
        table: counts it.
        place: its file and line.

    Raises:
        InputError: another judge judged it.
    """
    if why := _left_out(verdict):
        table.left_out[why] += 1
        return None
    table.judge.check(verdict, place)
    pairs = judged_pairs(verdict)
    if not pairs:
        table.left_out[NO_PAIR] += 1
        return None
    return Compared(verdict.shown or verdict.group, pairs)  # as it is read in use


def _left_out(verdict: Verdict) -> str:
    """Why a verdict says nothing that may be learned; empty where it does."""
    if verdict.group.metadata.get(PHASE) == EVAL:
        return "of an evaluation"
    if HINTED in verdict.origin.get("evidence", ()):
        return "hinted"
    return "" if any(one.voted for one in verdict.judgments) else NOT_JUDGED


def digest_of(rows: Sequence[ScalarRow]) -> str:
    """Hex digest of all that is learned from ``rows``, and of what it is measured on."""
    found = hashlib.blake2b(digest_size=16)
    for row in rows:
        pairs = [astuple(pair) for pair in row.compared.pairs]
        found.update(json.dumps([row.split, row.compared.group.fingerprint, pairs]).encode())
    return found.hexdigest()
