"""Groups whose better responses say `ba`, labelled or judged; and a tiny scalar RM."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from grm_plugin.records import to_line
from grm_plugin.types import Group, Judgment, Verdict
from tests.engines.tiny_models import save_judge

JUDGE = {"engine": "server", "model": "one", "template": "grm", "template_hash": "a1"}
WORDS = ("be", "bi", "de", "di", "fe", "fi", "ge", "gi", "ke", "ki", "le", "li")


def group(number: int, n: int = 3, **metadata: Any) -> Group:
    """N responses of which one says `ba`, where the metadata's `best` is."""
    rng = random.Random(number)
    best = rng.randrange(n)
    return Group.of(
        f"la {WORDS[number % 12]} {WORDS[number // 12 % 12]} {WORDS[number // 144 % 12]}",
        [f"{rng.choice(WORDS)} {'ba' if one == best else 'ka'} {WORDS[one]}" for one in range(n)],
        id=f"g{number}",
        metadata={"best": best, **metadata},
    )


def judged(number: int, *, k: int = 4, n: int = 3, right: float = 0.9, **metadata: Any) -> Verdict:
    """A verdict whose judgments put the response with `ba` first with the chance ``right``."""
    asked, rng = group(number, n, **metadata), random.Random(-number)
    votes = [_judgment(rng, sample, asked, right) for sample in range(k)]
    return Verdict(asked, (0.5,) * n, tuple(votes), origin={**JUDGE, "k": k})


def _judgment(rng: random.Random, sample: int, asked: Group, right: float) -> Judgment:
    best, n = asked.metadata["best"], len(asked.responses)
    first = best if rng.random() < right else (best + 1) % n
    scores = tuple(8.0 if one == first else 3.0 for one in range(n))
    return Judgment(sample, tuple(range(n)), sample, f"text {sample}", scores)


def by_another(verdict: Verdict, **changed: Any) -> Verdict:
    """The same, by a judge that differs in what is ``changed``."""
    return replace(verdict, origin={**verdict.origin, **changed})


def write_rows(path: Path, groups: Iterable[Group]) -> Path:
    """RM data."""
    rows = [
        {"id": one.id, "prompt": one.conversation[0].content, "responses": list(one.responses),
         **one.metadata}
        for one in groups
    ]  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def write(path: Path, verdicts: Iterable[Verdict], mode: str = "wb") -> Path:
    """A record; with the mode `ab` one that grew."""
    with path.open(mode) as file:
        file.write(b"".join(map(to_line, verdicts)))  # at once, for who reads meanwhile
    return path


def save_scalar_rm(folder: Path, **scaling: float) -> Path:
    """A scalar RM of random weights, with what is said of its scaling."""
    from tests.engines.tiny_models import save_classifier

    save_classifier(folder)
    if scaling:
        (folder / "scalar.json").write_text(json.dumps({"center": 0.0, "spread": 1.0, **scaling}))
    return folder


__all__ = ["by_another", "group", "judged", "save_judge", "save_scalar_rm", "write", "write_rows"]
