"""How long a page of many recorded verdicts takes, and how much memory.

``PYTHONPATH=. python benchmarks/page_of_verdicts.py``: a hundred thousand verdicts, varied from
records of the reference judge (other words, scores, steps, dropped samples), are read from a record
and written as a page, in a process of its own whose peak memory is the result.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from machine import save

from grm_plugin import GRM, Group, Judgment, Verdict
from grm_plugin.records import read_verdicts, to_line
from grm_plugin.reference.tasks.rm_data import rm_rows
from grm_plugin.report.page import write_page
from grm_plugin.types import Reason

SEEDS = 60
"""Groups that the reference judge judges; the others are varied from these."""


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--verdicts", type=int, default=100_000)
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument("--record", type=Path, help="make it here, and keep it")
    parser.add_argument("--note", default="", help="what else the machine did")
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        print(json.dumps(written(options.record, options.write)))
        return
    with tempfile.TemporaryDirectory() as folder:
        record = options.record or Path(folder) / "verdicts.jsonl"
        if not record.exists():
            make_record(record, options.verdicts, options.samples)
        command = [sys.executable, __file__, "--record", record, "--write", f"{folder}/page.html"]
        ended = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    result = {
        "verdicts": options.verdicts,
        "samples": options.samples,
        "record MB": round(record.stat().st_size / 1e6) if record.exists() else None,
        **json.loads(ended.stdout),
        "note": options.note,
    }
    print(result, "saved", save("page_of_verdicts", result, "jinja2", "pydantic"))


def make_record(path: Path, verdicts: int, samples: int) -> None:
    """Write so many verdicts, one at a time."""
    rows = rm_rows(SEEDS, seed=7, split="heldout", responses=(2, 3, 4))
    groups = [
        Group.of(row.pop("prompt"), row.pop("responses"), id=row.pop("id"), metadata=row)
        for row in rows
    ]
    with GRM(engine="reference", k=samples) as grm:
        judged = [verdict for verdict in grm.score_many(groups) if verdict.scored]
    with path.open("wb") as file:
        for number in range(verdicts):
            file.write(to_line(varied(judged[number % len(judged)], number)))


def varied(verdict: Verdict, number: int) -> Verdict:
    """Another verdict: its own prompt, texts, step and scores; some samples are dropped."""
    rng = random.Random(number)
    group = replace(
        verdict.group,
        id=f"{verdict.group.id}-{number}",
        conversation=tuple(
            replace(turn, content=f"{turn.content} ({number})")
            for turn in verdict.group.conversation
        ),
        metadata={**verdict.group.metadata, "step": number // 256, "phase": "train"},
    )
    kept, dropped = [], []
    for judgment in verdict.judgments:
        if rng.random() < 0.03:
            dropped.append(judgment.failed(Reason.TRUNCATED, "cut at max_tokens"))
        else:
            kept.append(shifted(judgment, rng.choice((-1, 0, 0, 1)), number))
    rewards = tuple(round(rng.random(), 4) for _ in group.responses) if kept else None
    return replace(
        verdict,
        group=group,
        rewards=rewards,
        judgments=tuple(kept),
        failures=tuple(dropped),
        unscored="" if kept else "0 samples are valid",
    )


def shifted(judgment: Judgment, by: int, number: int) -> Judgment:
    """The same judgment with other scores and a text of its own."""
    scores = tuple(
        None if one is None else min(10.0, max(1.0, one + by)) for one in judgment.scores
    )
    return replace(judgment, scores=scores, text=f"{judgment.text}\nNote {number}.")


def written(record: Path, page: Path) -> dict[str, Any]:
    """Write the page in this process, and tell what it took."""
    start, cpu = time.perf_counter(), time.process_time()
    write_page(page, read_verdicts(record), title=record.name)
    files = list(page.with_name(f"{page.stem}_files").iterdir())
    return {
        "seconds": round(time.perf_counter() - start, 1),
        "processor seconds": round(time.process_time() - cpu, 1),
        "peak MB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "page MB": round(page.stat().st_size / 1e6, 1),
        "files": len(files),
        "files MB": round(sum(one.stat().st_size for one in files) / 1e6),
    }


if __name__ == "__main__":
    main()
