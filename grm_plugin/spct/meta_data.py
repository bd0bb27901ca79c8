"""Training data of a meta RM: judgments of labelled groups, each with whether it is right."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from grm_plugin.errors import InputError, placed, quoted
from grm_plugin.pipeline.rating import shown_to_meta_rm
from grm_plugin.pipeline.weighing import margin_of
from grm_plugin.problems import wrong
from grm_plugin.prompts import Template
from grm_plugin.records import read_verdicts
from grm_plugin.spct.examples import correct, datum_of
from grm_plugin.spct.hinting import NAME
from grm_plugin.spct.splitting import Split, Splitting
from grm_plugin.types import Group, Judgment, Verdict, digest

By = Literal["split", "responses", "margin"]
BY: tuple[By, ...] = ("split", "responses", "margin")
"""What the right judgments are counted by."""
STATISTICS = ".stats.json"
"""How the name of the file ends that says beside rows what they hold, and what they show."""

_Named = Annotated[str, Field(min_length=1)]
HELD_OUT_BY = "held_out_by"
"""Where statistics and report say what training had none of that validation has."""


@dataclass(frozen=True, slots=True)
class MetaRow:
    """One judgment, as a meta RM reads it, and what is known of it.

    Args:
        text: the meta RM's template with conversation, responses and judgment.
        label: 1 where the judgment is right (eq. 10 of arXiv:2504.02495), else 0.
        margin: by how many points its best response is ahead of the second, whichever that is.
        group: fingerprint of the group.
        responses: N.
        cluster: what it hangs together with: its conversation, or a value of the metadata; of
            several the first, and for validation the first that is held out.
        split: `train` or `validation`.
        sample: the number k of the judgment in its group.
        id: the caller's name for the group.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(strict=True, extra="forbid")

    text: _Named
    label: Annotated[int, Field(ge=0, le=1)]
    margin: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    group: _Named
    responses: Annotated[int, Field(ge=1)]
    cluster: str
    split: Split
    sample: Annotated[int, Field(ge=0)] = 0
    id: str = ""


class Like(NamedTuple):
    """What rows are counted by; as in :class:`MetaRow`."""

    split: Split
    responses: int
    margin: float
    label: int


class MetaTable:
    """What the rows hold: judgments and right ones by N and by margin, and what was left out."""

    def __init__(self) -> None:
        self.rows: Counter[Like] = Counter()
        self.groups: dict[str, set[str]] = {"train": set(), "validation": set()}
        self.left_out: Counter[str] = Counter()

    def add(self, row: MetaRow) -> None:
        """Count one row."""
        self.rows[Like(row.split, row.responses, row.margin, row.label)] += 1
        self.groups[row.split].add(row.group)

    def rates(self, by: By) -> dict[Any, tuple[int, float]]:
        """Judgments, and the share that is right, by what ``by`` names."""
        number: Counter[Any] = Counter()
        right: Counter[Any] = Counter()
        for like, count in self.rows.items():
            number[getattr(like, by)] += count
            right[getattr(like, by)] += count * like.label
        return {name: (number[name], right[name] / number[name]) for name in sorted(number)}

    @property
    def ties(self) -> float:
        """The share of judgments of two or more responses with a tie at the top, 0..1."""
        several = {like: count for like, count in self.rows.items() if like.responses > 1}
        tied = sum(count for like, count in several.items() if not like.margin)
        return tied / sum(several.values()) if several else 0.0

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON values."""
        return {
            "judgments": sum(self.rows.values()),
            "groups": {split: len(found) for split, found in self.groups.items()},
            "ties": self.ties,
            **{f"by_{name}": _as_json(self.rates(name)) for name in BY},
            "left_out": dict(self.left_out),
        }


def _as_json(rates: Mapping[Any, tuple[int, float]]) -> dict[str, Any]:
    return {str(key): {"judgments": n, "right": share} for key, (n, share) in rates.items()}


def meta_rows(
    records: Sequence[Path], template: Template, splitting: Splitting, table: MetaTable
) -> Iterator[MetaRow]:
    """One row for every judgment in ``records`` that saw the whole group and no hint, each once.

    Args:
        records: verdicts of labelled groups, such as those that `grm train sample` and `grm score`
            write; they are read twice.
        template: what the meta RM is shown.
        splitting: which groups are held out.
        table: counts what comes, and what is left out.

    Raises:
        InputError: a group has no label.
        RecordError: a record can not be read.
    """
    values = (splitting.values(one.group) for path in records for one in read_verdicts(path))
    held_out = splitting.held_out(itertools.chain.from_iterable(values))
    seen: set[str] = set()
    for verdict in itertools.chain.from_iterable(map(read_verdicts, records)):
        if NAME in verdict.origin.get("evidence", ()):
            table.left_out["hinted"] += len(verdict.judgments)
            continue
        shown = splitting.values(verdict.group)
        held = [value for value in shown if value in held_out]
        split: Split = "validation" if held else "train"
        table.left_out["dropped by the judge"] += len(verdict.failures)
        for row in _of_verdict(verdict, template, (held or shown)[0], split, table):
            name = digest(row.text)
            if name in seen:
                table.left_out["there twice"] += 1
            else:
                seen.add(name)
                table.add(row)
                yield row


def _of_verdict(
    verdict: Verdict, template: Template, cluster: str, split: Split, table: MetaTable
) -> Iterator[MetaRow]:
    group, label = verdict.group, _label(verdict.group)
    whole = [one for one in verdict.judgments if _saw_all(one)]
    table.left_out["shown a part of the group"] += len(verdict.judgments) - len(whole)
    texts = shown_to_meta_rm(template, verdict.shown or group, whole)
    for judgment, text in zip(whole, texts, strict=True):
        yield MetaRow(
            text=text,
            label=int(correct(judgment.scores, label)),
            margin=margin_of(judgment),
            group=group.fingerprint,
            responses=len(group.responses),
            cluster=cluster,
            split=split,
            sample=judgment.sample,
            id=group.id,
        )


def _label(group: Group) -> int:
    try:
        return datum_of(group).label
    except InputError as error:
        raise InputError(f"group {group.label}: {error}") from None


def _saw_all(judgment: Judgment) -> bool:
    return None not in judgment.scores


_ROWS = TypeAdapter(MetaRow)


def read_rows(path: Path) -> list[MetaRow]:
    """The rows in a file, one JSON object a line, as :func:`as_line` writes them.

    Raises:
        InputError: the file can not be read, or a line is no such row; names it.
    """
    rows = []
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                where = f"{path}, line {number}"
                rows.append(_ROWS.validate_json(line))
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(
            f"{where}: {placed(first['loc']) or 'row'}: {wrong(first, quoted)}; "
            "expected what `grm train meta-data` writes"
        ) from None
    except OSError as error:
        raise InputError(f"{path} can not be read: {error}") from error
    return rows


def as_line(row: MetaRow) -> str:
    """``row`` as one line of JSON, with its newline."""
    return json.dumps(asdict(row), ensure_ascii=False) + "\n"
