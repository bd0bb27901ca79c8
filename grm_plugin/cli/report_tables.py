"""The tables of ``grm report``, for a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group as Lines
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from grm_plugin.report.terminal import one_line, plain_table

Figure = Mapping[str, Any] | None
Row = Mapping[str, Any]

_COLUMNS = 5  # of parts beside each other
_NAME = 26
_PASSAGES = 2
_TOO_MANY = "the judge names new ones each time ({:,} listings of too many are not counted)"
_TIES = {
    "random": "wrong by the share of others in it",
    "half": "half wrong",
    "strict": "wrong",
}


def parts(found: Mapping[str, Any], *, top: int, examples: int) -> Iterator[RenderableType]:
    """What ``grm report`` prints, one part after another.

    Args:
        found: of :func:`grm_plugin.report.criteria.criteria_of`.
        top: so many criteria in each table.
        examples: so many criteria with passages at either end.
    """
    rows: Sequence[Row] = found["criteria"]
    if not rows:
        yield Text(_why_none(found))
        return
    yield _listed(rows[:top], found, top)
    if found["all"]["wrong"]:
        yield _errors(rows[:top], found["all"], found["ties"])
    if found["all"]["change"]:
        yield _changes(rows[:top], found["all"], found["parts"])
    elif found["parts"]:
        yield _beside(rows[:top], found)
    for title, shown in _ends(rows, examples):
        yield _passages(title, shown)


def _listed(rows: Sequence[Row], found: Mapping[str, Any], top: int) -> RenderableType:
    heads = ("", ">groups", ">listed %", ">weight %", ">reward", ">score", "95 % interval")
    table = _table(*heads)
    for row in rows:
        table.add_row(
            _name(row),
            f"{row['groups']:,}",
            _percent(row["used"]),
            _percent(row["weight"]),
            _number(row["reward"]),
            *_apart(row["score_apart"], 1.0, ".2f"),
        )
    title = "criteria that judgments list, and what goes with them"
    return _titled(title, table, _left_out(found, top))


def _errors(rows: Sequence[Row], of_all: Row, ties: str) -> RenderableType:
    """The most misleading criteria first."""
    table = _table("", ">with it", ">without", ">apart", "95 % interval")
    known = [row for row in rows if row["wrong"]]
    for row in sorted(known, key=lambda row: -_value(row["wrong_apart"])):
        shares = _percent(row["wrong"]), _percent(row["wrong_without"])
        table.add_row(_name(row), *shares, *_apart(row["wrong_apart"], 100.0, ".0f"))
    table.add_row("all judgments", _percent(of_all["wrong"]), style="dim")
    note = f"apart: on the same groups; * clear of 0. A tie at the top counts as {_TIES[ties]}."
    return _titled("wrong judgments in %, by the criteria that they list", table, note)


def _changes(rows: Sequence[Row], of_all: Row, names: Sequence[str]) -> RenderableType:
    """What rewards did over the steps of a run, the largest gain first."""
    third = len(names) // 3
    first, last = (
        f"{some[0].split('-')[0]}-{some[-1].split('-')[-1]}"
        for some in (names[:third], names[-third:])
    )
    table = _table("", ">groups", ">change", "95 % interval")
    known = [row for row in rows if row["change"]]
    for row in sorted(known, key=lambda row: -_value(row["change"])):
        table.add_row(_name(row), f"{row['groups']:,}", *_apart(row["change"], 1.0, ".3f"))
    groups = f"{of_all['groups']:,}"
    table.add_row("all groups", groups, *_apart(of_all["change"], 1.0, ".3f"), style="dim")
    title = f"rewards in steps {last} less those in steps {first}"
    return _titled(title, table, "of groups judged by the criterion; * clear of 0.")


def _beside(rows: Sequence[Row], found: Mapping[str, Any]) -> RenderableType:
    """Rewards by the values of a column; the errors instead, where they are known."""
    kind = "wrong" if found["all"]["wrong"] else "reward"
    told = _percent if kind == "wrong" else _number
    names = found["parts"][:_COLUMNS]
    what = "wrong judgments, %" if kind == "wrong" else "rewards"
    more = f", the first {_COLUMNS} of {len(found['parts'])}" * (len(found["parts"]) > _COLUMNS)
    title = f"{what}, by {one_line(found['by'])}{more}"
    table = _table("", *(f">{one_line(name)}" for name in names))
    for row in rows:
        table.add_row(_name(row), *(told(row["by"][name][kind]) for name in names))
    table.add_row("all", *(told(found["all"]["by"][name][kind]) for name in names), style="dim")
    return _titled(title, table)


def _ends(rows: Sequence[Row], most: int) -> Iterator[tuple[str, Sequence[tuple[Row, str]]]]:
    """The criteria by which the same responses score least and most, with what to show of them."""
    if not any(row["score_apart"] for row in rows):  # one sample a group: all that there is
        rows = [{**row, "score_apart": row["reward_apart"]} for row in rows]
    ranked = sorted(rows, key=_score)
    weak = [(row, "lowest") for row in ranked if _score(row) < 0][:most]
    strong = [(row, "highest") for row in reversed(ranked) if _score(row) > 0][:most]
    if weak:
        yield "weaknesses: passages on the lowest rewards", weak
    if strong:
        yield "strengths: passages on the highest rewards", strong


def _passages(title: str, shown: Sequence[tuple[Row, str]]) -> RenderableType:
    lines: list[RenderableType] = [Text(title, "bold")]
    for row, kind in shown:
        lines.append(Text(f"  {one_line(row['name'])}"))
        for example in row["examples"][kind][:_PASSAGES]:
            lines.append(Padding(_passage(example), (0, 0, 0, 4)))
    return Lines(*lines)


def _passage(example: Mapping[str, Any]) -> Text:
    step = "" if example["step"] is None else f", step {example['step']}"
    reward = "" if example["reward"] is None else f" reward {example['reward']:.2f}"
    text = Text(f"{one_line(example['group'])}{step} #{example['response']}{reward}: ", "dim")
    return text.append(one_line(example["text"]) or "(no passage of its own)", "not dim")


def _left_out(found: Mapping[str, Any], top: int) -> str:
    rows = found["criteria"]
    told = [
        "score: points by which the same responses score higher when it is listed; * clear of 0, "
        f"with Holm's correction over {len(rows)} criteria.",
    ]
    if len(rows) > top:
        told.append(f"{len(rows) - top:,} more criteria: --top, --json.")
    if rarer := found["rarer_criteria"]:
        told.append(f"{rarer:,} in fewer than {found['fewest_groups']} groups are left out.")
    if beyond := found["criteria_beyond_the_most"]:
        told.append(f"{beyond:,} listings of rare criteria are not counted: there are too many.")
    if silent := found["judgments_without_criteria"]:
        told.append(f"{silent:,} judgments list none.")
    return " ".join(told)


def _why_none(found: Mapping[str, Any]) -> str:
    if found["rarer_criteria"]:
        why = f"no criterion is listed in {found['fewest_groups']} groups or more: "
        beyond = found["criteria_beyond_the_most"]
        return why + (_TOO_MANY.format(beyond) if beyond else "too few verdicts to tell")
    return (
        "no judgment lists criteria: the template asks for none, or they are under no heading such "
        "as `Specific Criteria:`"
    )


def _table(*heads: str) -> Table:
    table = plain_table(*heads)
    table.columns[0].max_width = _NAME
    return table


def _titled(title: str, table: Table, note: str = "") -> RenderableType:
    return Lines(Text(title, "bold"), table, *([Text(note, "dim")] if note else []))


def _name(row: Row) -> str:
    return one_line(row["name"])


def _percent(figure: Figure) -> str:
    return "" if figure is None else f"{100 * figure['value']:.0f}"


def _number(figure: Figure) -> str:
    return "" if figure is None else f"{figure['value']:.2f}"


def _apart(figure: Figure, unit: float, form: str) -> tuple[str, str]:
    """A difference with a mark where it is clear, and its interval."""
    if figure is None:
        return "", ""
    mark = "*" if figure.get("clear") else " "
    low, high = figure["low"], figure["high"]
    ends = "" if low is None else f"{unit * low:+{form}} to {unit * high:+{form}}"
    return f"{unit * figure['value']:+{form}}{mark}", ends


def _score(row: Row) -> float:
    return _value(row["score_apart"])


def _value(figure: Figure) -> float:
    return 0.0 if figure is None else float(figure["value"])
