"""Official figures of weighted items, which intervals go by, are those of repeated items."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grm_plugin.evaluation.figures import Figure
from grm_plugin.evaluation.items import Item
from tests.evaluation.benchmarks.judged import benchmark, item

NAMES = ("rewardbench", "rewardbench2", "rm_bench", "labelled")


@pytest.mark.parametrize("name", NAMES)
@given(seed=st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_an_item_of_weight_three_counts_as_three_items(name: str, seed: int) -> None:
    rng = random.Random(seed)
    items = [_judged(name, rng) for _ in range(60)]
    weights = [rng.randint(1, 3) for _ in items]
    repeated = [one for one, times in zip(items, weights, strict=True) for _ in range(times)]
    figure = benchmark(name).figures(items)
    for node in _nodes(figure):
        weighted = node.over(items)(np.array([weights], dtype=float))
        plain = node.over(repeated)(np.ones((1, len(repeated))))
        assert weighted == pytest.approx(plain, nan_ok=True)


def _judged(name: str, rng: random.Random) -> Item:
    """An item of a few subsets, of few rewards, so that there are ties, and some unscored ones."""
    best, more = [0], dict[str, object]()
    if name == "rewardbench2" and rng.random() < 0.5:
        twin, number = rng.choice(["ref", "tied"]), rng.randrange(20)
        best = [0, 1] if twin == "tied" else [0]
        more = {"subset": "Ties", "twin": twin, "source": f"Ties:{number}"}
    elif name == "rm_bench":
        more = {"section": rng.choice(["chat", "code"]), "styles": "concise/plain"}
    else:
        more = {"subset": rng.choice(["Math", "hep-go", "mt-bench-easy", "shp"])}
    rewards = None if rng.random() < 0.1 else [rng.randint(1, 4) / 4 for _ in range(3)]
    return item(rewards, best=best if rewards else 0, **more)


def _nodes(figure: Figure) -> Iterator[Figure]:
    yield figure
    for part in figure.parts:
        yield from _nodes(part)
