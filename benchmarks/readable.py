"""How many texts of judges can be read, now and by the parser of an earlier revision.

    python benchmarks/readable.py PATH [PATH ...] [--before 8596385] [--contract boxed] [--show 3]

A PATH is a folder of ``.txt`` files with an ``index.yaml`` (``{name: {n: 2, scale: [1, 10]}}``), a
``.jsonl`` file of records or of lines with ``text``, ``n`` and ``scale``, or MT-Bench's judgments
(``mt_bench_eval.json``), whose prose is given the answer's form with the score that the judge gave.
A text counts only when its judge finished. ``--contract`` is YAML: a name, or name and options.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import types
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from grm_plugin import contracts
from grm_plugin.contracts.contract import Answer, Contract
from grm_plugin.engine import Limits
from grm_plugin.errors import ParseError
from grm_plugin.hosts.inputs.lines import read_json_lines
from grm_plugin.thinking import Thinking
from grm_plugin.types import Scale

POINTS = Scale(1, 10)
MT_BENCH = Scale(1, 5)
Read = Callable[["Text"], object]


class Text(NamedTuple):
    """What a judge wrote, for how many responses, on which scale."""

    text: str
    n: int
    scale: Scale


def texts(path: Path, form: str) -> Iterator[Text]:
    """The texts of judges in ``path``."""
    if path.is_dir():
        index = yaml.safe_load((path / "index.yaml").read_text())
        for name, told in index.items():
            scale = Scale(*told.get("scale", POINTS))
            yield Text((path / f"{name}.txt").read_text(), told["n"], scale)
    elif path.suffix == ".jsonl":
        for _, row in read_json_lines(path):
            yield from _of_record(row)
    else:
        for row in json.loads(path.read_text()):
            for prose, score in zip(row["gpt4_feedback"], row["gpt4_score"], strict=True):
                yield Text(form.format(prose=prose, score=score), 1, MT_BENCH)


def _of_record(record: dict[str, Any]) -> Iterator[Text]:
    if "text" in record:
        yield Text(record["text"], record["n"], Scale(*record.get("scale", POINTS)))
    for sample in [*record.get("judgments", ()), *record.get("failures", ())]:
        if sample.get("text") and sample.get("reason") not in ("truncated", "timeout", "transport"):
            yield Text(sample["text"], len(sample["order"]), POINTS)


def earlier(revision: str) -> Read:
    """Reads a text as the parser of ``revision`` did; for boxes only."""
    source = subprocess.run(
        ["git", "show", f"{revision}:grm_plugin/parsing.py"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    module = types.ModuleType("earlier")
    exec(compile(source, f"{revision}:parsing.py", "exec"), module.__dict__)
    return lambda one: module.parse_scores(one.text, n=one.n, scale=one.scale)


def now(contract: Contract) -> Read:
    """Reads a text as judgments are read."""
    thinking = Thinking()
    return lambda one: (
        contract.read(Answer(thinking.final_answer(one.text), one.n, one.scale)).scores
    )


def outcome(read: Read, text: Text) -> object:
    """The scores, or the ParseError."""
    try:
        return read(text)
    except ParseError as error:
        return error


def compare(name: str, some: list[Text], before: Read, after: Read, show: int) -> None:
    """Print one line of the table, and some texts that are read otherwise than before."""
    pairs = [(outcome(before, one), outcome(after, one)) for one in some]
    was, is_now = (
        sum(not isinstance(one, ParseError) for one in side) for side in zip(*pairs, strict=True)
    )
    reasons = Counter(str(one.reason) for _, one in pairs if isinstance(one, ParseError))
    other = sum(
        not isinstance(a, ParseError) and not isinstance(b, ParseError) and a != b for a, b in pairs
    )
    shown = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
    shares = f"{was / len(some):.1%} | {is_now / len(some):.1%}"
    print(f"| {name} | {len(some)} | {shares} | {other} | {shown} |")
    changed = [(one, b) for one, (a, b) in zip(some, pairs, strict=True)
               if isinstance(b, ParseError) and not isinstance(a, ParseError)]  # fmt: skip
    for one, error in changed[:show]:
        print(f"    {error}\n        {one.text[-160:]!r}")


def main() -> None:
    parser = argparse.ArgumentParser(description="The share of readable texts, before and now.")
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--before", default="8596385", help="revision with grm_plugin/parsing.py")
    parser.add_argument("--contract", default="boxed", type=yaml.safe_load)
    parser.add_argument("--form", default="{prose}\n\nScores: \\boxed{{{score}}}")
    parser.add_argument("--show", type=int, default=0, help="examples of texts no longer read")
    asked = parser.parse_args()
    offered: dict[str, Any] = {}
    contracts.grm_register_contracts(offered.__setitem__)
    options = {"name": asked.contract} if isinstance(asked.contract, str) else dict(asked.contract)
    contract = offered[options.pop("name")](options, Limits())
    before, after = earlier(asked.before), now(contract)
    print("| texts | number | before | now | other scores | why not |\n|---|---|---|---|---|---|")
    for path in asked.paths:
        compare(path.name, list(texts(path, asked.form)), before, after, asked.show)


if __name__ == "__main__":
    main()
