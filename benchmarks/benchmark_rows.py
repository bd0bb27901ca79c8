"""Every row of real benchmark data through its reader, a judge and the counting of outcomes.

``python benchmarks/benchmark_rows.py FOLDER``: the folder holds the data as its authors publish it
(see ``SETS``); nothing of it is in this project. Two judges: one that scores a response by its
letters, whose outcomes are also counted from the responses themselves, without prompt, shuffle,
parser or vote; and the reference judge, which must refuse by name what it was not made for. Memory
is what the process has resident, told every few thousand groups.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from machine import save

from grm_plugin import GRM, Verdict
from grm_plugin.engine import Draw, Limits, SampleRequest
from grm_plugin.evaluation.outcomes import Outcome, outcome
from grm_plugin.evaluation.truth import truth_of
from grm_plugin.hookspecs import Register, hookimpl
from grm_plugin.hosts.counting import why_unscored
from grm_plugin.plugins import installed
from grm_plugin.prompts.layout import Layout
from grm_plugin.testing.host import SHOWN
from grm_plugin.types import Message

K = 2
LETTERS = "abghkmpvwxyz"
"""Letters that no text has more or fewer of where its look-alikes of the frame are defused."""
GRADING = {"rating": "gpt4_score", "form": "grading", "source": "idx"}
SETS: Sequence[tuple[str, str, Mapping[str, Any]]] = (
    ("rewardbench", "rewardbench/rewardbench_partial_reconstruction.jsonl", {}),
    ("llmbar", "llmbar/Dataset", {}),
    ("rm_bench", "rm-bench", {"shown": "list"}),
    ("realmistake", "realmistake/data.zip", {}),
    ("ratings", "mt-bench-3x/mt_bench_eval.json", GRADING),
    ("rmb", "rmb", {}),
)
"""Benchmark, where its data is in the folder, options."""
REFUSED = ("rmb", "llmbar", "realmistake")
EMPTY = Layout().empty_response
STEP = 2500
"""Groups after which memory is told, each time."""


class LetterJudge:
    """An engine that scores each response that it is shown by its letters."""

    model, context_tokens = "letters", None

    async def start(self) -> None:
        """Nothing to start."""

    async def sample(self, request: SampleRequest) -> Sequence[Draw]:
        """The same judgment for each draw."""
        shown = SHOWN.findall(request.messages[-1].content)
        scores = ", ".join(str(points(text)) for text in shown)
        return [Draw(f"Scores: \\boxed{{{scores}}}", "stop")] * request.n

    async def count_tokens(self, messages: Sequence[Message]) -> None:
        """Not known."""

    async def close(self) -> None:
        """Nothing to close."""


class Offer:
    """A plug-in that offers it."""

    @hookimpl
    def grm_register_engines(self, register: Register[Any]) -> None:
        """Under the name ``letters``."""
        register("letters", lambda options, limits: LetterJudge())


def points(text: str) -> int:
    """1..10, by how often some letters are in a text; an empty one is shown in words."""
    shown = text if text.strip() else EMPTY
    return 1 + sum(map(shown.count, LETTERS)) % 10


@dataclass
class Counts:
    """What the groups of one benchmark came to."""

    groups: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    expected: Counter[str] = field(default_factory=Counter)
    unscored: Counter[str] = field(default_factory=Counter)

    def add(self, verdict: Verdict) -> None:
        """Count one verdict."""
        self.groups += 1
        truth = truth_of(verdict.group)
        found = str(outcome(verdict.rewards, truth) or "scored")
        self.outcomes[found] += 1
        if found != Outcome.UNSCORED:
            rewards = [(points(text) - 1) / 9 for text in verdict.group.responses]
            self.expected[str(outcome(rewards, truth) or "scored")] += 1
        if not verdict.scored:
            self.unscored[why_unscored(verdict)] += 1


def main() -> None:
    """Push all rows through both judges, save and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--note", default="", help="what else the machine did")
    options = parser.parse_args()
    with GRM(engine="letters", plugins=[Offer()], k=K) as grm:
        letters = {name: through(grm, options.folder, name) for name, _, _ in SETS}
        most_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    with GRM(engine="reference", k=K) as grm:
        refused = {name: through(grm, options.folder, name) for name in REFUSED}
    result = {
        "note": options.note,
        "k": K,
        "groups": sum(one["groups"] for one in letters.values()),
        "most MB": most_mb,
        "letters": letters,
        "reference": refused,
    }
    print("saved", save("benchmark_rows", result))


def through(grm: GRM, folder: Path, name: str) -> dict[str, Any]:
    """All groups of one benchmark, judged and counted one by one.

    Raises:
        AssertionError: a scored group has another outcome than its responses say.
    """
    path, options = next((path, options) for one, path, options in SETS if one == name)
    benchmark = installed().make(
        "benchmark", name, {"path": str(folder / path), **options}, Limits()
    )
    counts, resident, started = Counts(), list[int](), time.process_time()
    for verdict in grm.score_many(benchmark):
        counts.add(verdict)
        if counts.groups % STEP == 1:
            resident.append(resident_mb())
    seconds = time.process_time() - started
    scored = Counter({key: n for key, n in counts.outcomes.items() if key != Outcome.UNSCORED})
    assert scored == counts.expected, (name, counts)
    found = {
        "groups": counts.groups,
        "outcomes": dict(counts.outcomes),
        "unscored": dict(counts.unscored.most_common(5)),
        "left out": benchmark.left_out,
        "processor s": round(seconds, 1),
        "MB": resident,
    }
    print(name, found, flush=True)
    return found


def resident_mb() -> int:
    """What this process has in memory, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() >> 20


if __name__ == "__main__":
    main()
