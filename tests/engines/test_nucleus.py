"""The nucleus that is found among the likeliest tokens equals the one of a sort of all."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from grm_plugin.engine import Sampling  # noqa: E402
from grm_plugin.local import nucleus as module  # noqa: E402
from grm_plugin.local.nucleus import nucleus  # noqa: E402
from grm_plugin.local.seeded import SeededSampler  # noqa: E402

CPU = torch.device("cpu")


def by_sorting(weights: Any, top_p: Any) -> Any:
    """The definition: most likely first, equals by their ids, until ``top_p`` is reached."""
    ordered, tokens = weights.sort(dim=-1, descending=True, stable=True)
    before = ordered.cumsum(-1, dtype=torch.float64) - ordered
    before[:, 0] = 0.0
    return torch.zeros_like(weights).scatter(1, tokens, ordered * (before < top_p))


def column(*top_p: float) -> Any:
    return torch.tensor(top_p, dtype=torch.float64).unsqueeze(1)


@given(
    st.integers(0, 2**32),
    st.integers(1, 400),
    st.lists(st.floats(1e-6, 1.0), min_size=1, max_size=4),
    st.sampled_from([0.2, 1.0, 4.0, 12.0]),
    st.sampled_from([0.0, 0.25, 2.0]),
    st.integers(1, 500),
)
def test_it_is_that_of_a_full_sort_ties_included(
    seed: int, vocabulary: int, top_p: list[float], spread: float, step: float, first: int
) -> None:
    drawn = torch.randn(len(top_p), vocabulary, generator=torch.Generator().manual_seed(seed))
    logits = drawn * spread
    if step:  # coarse logits: many tokens are equally likely
        logits = (logits / step).round() * step
    weights = logits.softmax(-1)
    found = nucleus(weights, column(*top_p), first=first)
    whole = column(*(one if one < 1 else torch.inf for one in top_p))
    assert torch.equal(found, by_sorting(weights, whole))


def test_of_equals_at_the_edge_the_first_ids_are_inside() -> None:
    weights = torch.full((1, 8), 0.125)
    found = nucleus(weights, column(0.5), first=6)
    assert found[0].nonzero()[:, 0].tolist() == [0, 1, 2, 3]


def test_rows_whose_nucleus_is_large_do_not_change_their_neighbours() -> None:
    peaked, flat = torch.zeros(1, 4096), torch.zeros(1, 4096)
    peaked[0, 17] = 20.0
    weights = torch.cat([peaked, flat, peaked]).softmax(-1)
    found = nucleus(weights, column(0.875, 0.875, 0.875), first=4)
    assert (found > 0).sum(-1).tolist() == [1, 3584, 1]


def test_a_row_without_top_p_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    among = module._among
    monkeypatch.setattr(module, "_among", lambda w, p, c: seen.append(len(w)) or among(w, p, c))
    weights = torch.randn(3, 50).softmax(-1)
    found = nucleus(weights, column(1.0, 0.5, 1.0))
    assert seen == [1]
    assert torch.equal(found[[0, 2]], weights[[0, 2]])


@pytest.mark.parametrize("spread", [0.1, 2.0, 8.0])
def test_the_sampler_draws_what_it_would_after_a_full_sort(
    spread: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = torch.randn(6, 3000, generator=torch.Generator().manual_seed(3)).mul(spread)
    scores = scores.bfloat16().float()  # as the logits of most judges: coarse, with equals
    rows = [Sampling(0.7, top_p, 50) for top_p in (0.1, 0.5, 0.9, 0.95, 0.999, 1.0)]

    def draws() -> list[list[int]]:
        sampler = SeededSampler(rows, range(6), CPU)
        return [sampler(None, scores).argmax(-1).tolist() for _ in range(50)]

    fast = draws()
    sorting = lambda weights, top_p: by_sorting(weights, torch.where(top_p < 1, top_p, torch.inf))  # noqa: E731
    monkeypatch.setattr("grm_plugin.local.seeded.nucleus", sorting)
    assert fast == draws()
