"""What scoring costs besides the judge: milliseconds a sample, and the memory of a stream.

    python benchmarks/pipeline.py [--groups 2000] [--stream 100000] [--repeats 5]

Groups have 8 responses of about 60 words and 8 samples of about 120 words each. Each stage is
timed alone over all groups, then all of them end to end through ``GRM.score_batch`` with the
``replay`` engine. Every figure is the median of the repeats, in one process on one core.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from machine import save

from grm_plugin import GRM, Group, Judgment, Verdict
from grm_plugin.engine import Draw, Limits
from grm_plugin.pipeline.case import Case
from grm_plugin.pipeline.planning import plan
from grm_plugin.pipeline.reading import Reader
from grm_plugin.pipeline.selecting import keep_best
from grm_plugin.pipeline.settling import Rule, settle
from grm_plugin.pipeline.voting import mean
from grm_plugin.plugins import installed
from grm_plugin.prompts import load_template
from grm_plugin.records import from_record, to_record
from grm_plugin.running.recorder import Recorder
from grm_plugin.testing import scripted
from grm_plugin.thinking import Thinking

N, K = 8, 8
AIM_MS = 0.2
WORDS = (
    "answer",
    "clear",
    "reason",
    "every",
    "step",
    "forgets",
    "one",
    "case",
    "of",
    "the",
    "task",
)

Stage = Callable[[], object]


def made_group(number: int, words: int = 60) -> Group:
    """A group of N different responses."""
    rng = random.Random(number)
    texts = [" ".join([*rng.choices(WORDS, k=words), str(n)]) for n in range(N)]
    return Group.of(f"question {number}", texts, id=str(number))


def made_text(rng: random.Random) -> str:
    """A judgment with three principles, a critique and a box."""
    critique = " ".join(rng.choices(WORDS, k=100))
    scores = ", ".join(str(rng.randint(1, 10)) for _ in range(N))
    return (
        "Specific Criteria:\n1. Correctness (50%): facts\n2. Depth (30%)\n3. Tone (20%)\n\n"
        f"Analysis: {critique}\n\nScores: \\boxed{{{scores}}}"
    )


def made_verdict(group: Group) -> Verdict:
    """What a judge would have given for ``group``."""
    rng = random.Random(group.id)
    samples = []
    for showing in plan(range(N), k=K, permutations=K, seed=0, fingerprint=group.fingerprint):
        draw = Draw(made_text(rng), "stop")
        unread = Judgment(
            showing.first, showing.order, showing.seed, draw.text, (), meta_score=rng.gauss(0, 1)
        )
        samples.append(READER.read(draw, unread, N))
    found = settle(samples, Case.of(Verdict(group, None, tuple(samples))), RULE)
    return Verdict(group, found.rewards, tuple(samples))


TEMPLATE = load_template(installed().get("template", "grm"), "grm")
READER = Reader(
    installed().make("contract", "boxed", {}, Limits()), Thinking(), scale=TEMPLATE.scale
)
RULE = Rule("mean", mean, TEMPLATE.scale)


def stages(verdicts: list[Verdict], folder: Path) -> dict[str, Stage]:
    """Each stage as a function over all samples."""
    cases = [Case.of(verdict) for verdict in verdicts]

    def render() -> None:
        for verdict in verdicts:
            prepared = TEMPLATE.prepare(verdict.group)
            for one in verdict.judgments:
                prepared.render(one.order)

    def parse() -> None:
        for verdict in verdicts:
            for one in verdict.judgments:
                READER.read(Draw(one.text, "stop"), one, N)

    def select() -> None:
        for verdict in verdicts:
            keep_best(verdict.judgments, K // 2)

    def vote() -> None:
        for case, verdict in zip(cases, verdicts, strict=True):
            settle(verdict.judgments, case, RULE)

    def record() -> None:
        with Recorder(folder / "stage.jsonl") as recorder:
            for verdict in verdicts:
                recorder.write(verdict)
        (folder / "stage.jsonl").unlink()

    def read_back() -> None:
        for line in lines:
            from_record(json.loads(line))

    lines = [json.dumps(to_record(verdict)) for verdict in verdicts]
    return {
        "render": render, "parse": parse, "select": select, "vote": vote, "record": record,
        "read back": read_back, "end to end": lambda: end_to_end(verdicts, folder),
    }  # fmt: skip


def end_to_end(verdicts: list[Verdict], folder: Path) -> None:
    """Replay all groups with meta-scores, and record them again."""
    path = folder / "again.jsonl"
    engine = {"name": "replay", "path": str(folder / "recorded.jsonl")}
    with GRM(engine=engine, k=K, select="meta_rm", record=path) as grm:
        found = grm.score_batch([verdict.group for verdict in verdicts])
    assert all(one.scored for one in found)
    path.unlink()


def measure(groups: int, repeats: int) -> dict[str, dict[str, float]]:
    """Milliseconds per sample of each stage: median, lowest and highest of the repeats."""
    verdicts = [made_verdict(made_group(number)) for number in range(groups)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Recorder(folder / "recorded.jsonl") as recorder:
            for verdict in verdicts:
                recorder.write(verdict)
        return {
            stage: timed(run, repeats, samples=groups * K)
            for stage, run in stages(verdicts, folder).items()
        }


def timed(run: Stage, repeats: int, *, samples: int) -> dict[str, float]:
    """Processor time of ``run``, in milliseconds per sample."""
    found = []
    for _ in range(repeats):
        started = time.process_time()
        run()
        found.append((time.process_time() - started) * 1000 / samples)
    return {
        "median_ms": round(statistics.median(found), 4),
        "lowest_ms": round(min(found), 4),
        "highest_ms": round(max(found), 4),
    }


def stream(groups: int) -> dict[str, Any]:
    """Peak memory of this process after ``groups`` small groups went through ``score_many``."""

    def source() -> Iterator[Group]:
        for number in range(groups):
            yield Group.of(f"question {number}", ["yes", "no"], id=str(number))

    started = time.perf_counter()
    with GRM(plugins=scripted(["\\boxed{9, 3}"]), engine="scripted", k=1) as grm:
        grm.engine.requests = Forgetful()
        scored = sum(verdict.scored for verdict in grm.score_many(source()))
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = round(time.perf_counter() - started, 1)
    return {"groups": scored, "peak_rss_mb": round(peak_kb / 1024), "seconds": seconds}


class Forgetful(list[Any]):
    """The scripted judge remembers its requests; a benchmark of memory must not."""

    def append(self, request: object) -> None:
        """Forget it."""


def stream_alone(groups: int) -> dict[str, Any]:
    """:func:`stream` in a process of its own."""
    command = [sys.executable, __file__, "--only-stream", "--stream", str(groups)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout))


def main() -> None:
    """Measure, print a table, and save the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--groups", type=int, default=2000)
    parser.add_argument("--stream", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--note", default="", help="what else ran on the machine")
    parser.add_argument("--only-stream", action="store_true")
    asked = parser.parse_args()
    if asked.only_stream:
        print(json.dumps(stream(asked.stream)))
        return
    memory = stream_alone(asked.stream)  # first: a child's peak starts at its parent's size
    found = measure(asked.groups, asked.repeats)
    for stage, figures in found.items():
        print(f"{stage:12} " + "  ".join(f"{name} {ms:.4f}" for name, ms in figures.items()))
    print(f"stream       {memory}")
    shape = {"groups": asked.groups, "responses": N, "k": K, "repeats": asked.repeats}
    result = {
        "note": asked.note,
        "shape": shape,
        "aim_ms_per_sample": AIM_MS,
        "stages": found,
        "stream": memory,
    }
    print("saved", save("pipeline", result))


if __name__ == "__main__":
    main()
