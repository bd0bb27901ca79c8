from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from grm_plugin.engine import Sampling  # noqa: E402
from grm_plugin.local.seeded import SeededSampler  # noqa: E402

CPU = torch.device("cpu")
NONE = torch.zeros(1, 0, dtype=torch.long)


def drawn(scores: Any, rows: list[Sampling], seeds: list[int], steps: int) -> np.ndarray:
    """Tokens drawn from the same logits at each step: rows x steps."""
    sampler = SeededSampler(rows, seeds, CPU)
    return np.stack([sampler(NONE, scores).argmax(-1).numpy() for _ in range(steps)], axis=1)


def test_one_token_is_left_possible() -> None:
    sampler = SeededSampler([Sampling(1.0)] * 3, [1, 2, 3], CPU)
    left = sampler(NONE, torch.randn(3, 20))
    assert (left > -torch.inf).sum(1).tolist() == [1, 1, 1]


def test_tokens_are_drawn_with_the_probabilities_of_the_softmax() -> None:
    logits = torch.tensor([[0.0, 1.0, 2.0, -1.0]])
    tokens = drawn(logits, [Sampling(0.7, 1.0, 20_000)], [5], 20_000)
    shares = np.bincount(tokens[0], minlength=4) / 20_000
    expected = (logits[0] / 0.7).softmax(0).numpy()
    # four standard errors of the largest share
    assert np.abs(shares - expected).max() < 4 * 0.5 / np.sqrt(20_000)


def test_tokens_outside_top_p_are_never_drawn() -> None:
    logits = torch.tensor([[0.5, 0.3, 0.15, 0.05]]).log()
    tokens = drawn(logits, [Sampling(1.0, 0.6, 2000)], [5], 2000)
    assert set(tokens[0]) == {0, 1}


def test_a_tiny_top_p_keeps_the_likeliest_token() -> None:
    tokens = drawn(torch.randn(1, 50), [Sampling(1.0, 1e-9, 100)], [5], 100)
    assert len(set(tokens[0])) == 1


def test_a_row_draws_the_same_tokens_in_any_company() -> None:
    scores = torch.randn(3, 50)
    rows = [Sampling(1.0, 1.0, 40), Sampling(0.5, 0.9, 40), Sampling(0.0, 1.0, 40)]
    together = drawn(scores, rows, [1, 2, 3], 40)
    for r, seed in enumerate([1, 2, 3]):
        alone = drawn(scores[r : r + 1], [rows[r]], [seed], 40)
        assert (together[r] == alone[0]).all()


def test_temperature_zero_is_greedy_beside_rows_that_are_not() -> None:
    scores = torch.randn(2, 50)
    tokens = drawn(scores, [Sampling(0.0), Sampling(5.0)], [1, 1], 30)
    assert set(tokens[0]) == {int(scores[0].argmax())}
    assert len(set(tokens[1])) > 1


def test_other_seeds_draw_other_tokens() -> None:
    scores = torch.randn(1, 50).expand(2, -1)
    tokens = drawn(scores, [Sampling(1.0)] * 2, [1, 2], 30)
    assert (tokens[0] != tokens[1]).any()


def test_broken_logits_give_a_token_of_the_vocabulary() -> None:
    tokens = drawn(torch.full((1, 9), torch.nan), [Sampling(1.0)], [1], 3)
    assert ((tokens >= 0) & (tokens < 9)).all()
