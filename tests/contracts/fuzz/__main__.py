"""Compares every contract with its oracle.

python -m tests.contracts.fuzz --texts 1000000 [--only boxed] [--seed 0]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.contracts.fuzz import generator
from tests.contracts.fuzz.targets import TARGETS, Thoughts, expected_target

BLOCK = 1000
NAMES = (*TARGETS, "expected", "thinking")


def differences(name: str, texts: int, seed: int = 0) -> Iterator[tuple[str, int, Any]]:
    """Every text of ``texts`` on which contract and oracle differ, and what they say."""
    for block in range(0, texts, BLOCK):
        number = seed * 1_000_003 + block // BLOCK
        target, pieces, answers, counts = _block(name, number)
        some = generator.texts(number, pieces, answers, min(BLOCK, texts - block))
        for place, text in enumerate(some):
            n = counts[place % len(counts)]
            if found := target.differs(text, n):
                yield text, n, found


def _block(name: str, number: int) -> tuple[Any, Any, Any, tuple[int, ...]]:
    box = TARGETS["boxed"][0]
    if name == "thinking":
        return Thoughts(opened=number % 3 == 0), generator.MARKS, generator.MARKS, (1,)
    if name == "expected":
        answers = [f"\\boxed{{{one}}}" for one in ("8", "10", "1", "7, 10", "1, 2", "x", "7.5")]
        return expected_target(), box.pieces[:2], answers, (1, 2)
    target = TARGETS[name][number % len(TARGETS[name])]
    return target, target.pieces, target.answers, target.n


def readable(name: str, texts: int = 4 * BLOCK) -> float:
    """The share of generated texts that hold an answer, for those who ask what was tried."""
    seen: Counter[bool] = Counter()
    for number in range(texts // BLOCK):
        target, pieces, answers, counts = _block(name, number)
        if name in TARGETS:
            for text in generator.texts(number, pieces, answers, BLOCK):
                seen[not isinstance(target.ours(text, counts[0]), str)] += 1
    return seen[True] / max(1, seen.total())


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare every contract with its oracle.")
    parser.add_argument("--texts", type=int, default=20_000, help="texts for each contract")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=NAMES, nargs="*", default=NAMES)
    asked = parser.parse_args()
    total = 0
    for name in asked.only:
        started, count = time.monotonic(), 0
        for text, n, (ours, theirs) in differences(name, asked.texts, asked.seed):
            count += 1
            if count <= 5:
                print(f"  n={n} {text!r}\n    contract: {ours}\n    oracle:   {theirs}")
        share = f", {readable(name):.0%} of them readable" if name in TARGETS else ""
        seconds = time.monotonic() - started
        print(
            f"{name}: {asked.texts} texts{share}, {count} differences, {seconds:.0f} s", flush=True
        )
        total += count
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
