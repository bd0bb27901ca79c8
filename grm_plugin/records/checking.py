"""What a recorded verdict can not say, whatever its fields' types."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from grm_plugin.errors import RecordError, quoted
from grm_plugin.size import MAX_K
from grm_plugin.types import Control, Cost, Judgment, Sample, Scalar, Verdict, is_weight

_MOST = 2**63


def check_verdict(verdict: Verdict) -> None:
    """Refuse what can not be, though every field is of its type.

    Raises:
        RecordError: an order is no permutation, a number is not finite or not countable, or
            responses, rewards and scores are not equally many.
    """
    n = len(verdict.group.responses)
    if verdict.rewards is not None and not _are_scores(verdict.rewards, n):
        raise RecordError(f"expected {n} finite rewards, got {quoted(verdict.rewards)}")
    _check_cost("cost", verdict.cost)
    if verdict.control:
        _check_control(verdict.control, n)
    for judgment in verdict.judgments:
        _check_judgment(judgment, n)
    for failure in verdict.failures:
        _check_sample(failure, n)
    if verdict.scalar:
        _check_scalar(verdict.scalar, n)


def _check_scalar(scalar: Scalar, n: int) -> None:
    if not _are_scores(scalar.scores, n):
        raise RecordError(f"scalar: expected {n} finite scores, got {quoted(scalar.scores)}")
    if not (math.isfinite(scalar.center) and 0 < scalar.spread < math.inf):
        raise RecordError(
            f"scalar: expected a finite center and a spread above 0, got {scalar.center} and "
            f"{scalar.spread}"
        )
    for name in ("sure", "agreement", "claim"):
        share = getattr(scalar, name)
        if share is not None and not 0 <= share <= 1:
            raise RecordError(f"scalar: {name}: expected a number in 0..1, got {share}")
    if not set(scalar.failures) <= set(range(n)):
        raise RecordError(
            f"scalar: expected failures of some of {n} responses, got {quoted([*scalar.failures])}"
        )
    costs = [scalar.money or 0.0, scalar.flops or 0.0]
    _check_numbers("scalar", [scalar.prompt_tokens], costs)


def _check_cost(name: str, cost: Cost) -> None:
    counts = cost.prompt_tokens, cost.output_tokens, cost.unpriced
    _check_numbers(name, counts, [cost.seconds, cost.money or 0.0, cost.flops or 0.0])


def _check_control(control: Control, n: int) -> None:
    if control.rewards is not None and not _are_scores(control.rewards, n):
        raise RecordError(f"control: expected {n} finite rewards, got {quoted(control.rewards)}")
    _check_cost("control.cost", control.cost)


def _check_judgment(judgment: Judgment, n: int) -> None:
    _check_sample(judgment, n)
    name = f"sample {judgment.sample}"
    if not _are_scores(judgment.scores, n):
        raise RecordError(f"{name}: expected {n} finite scores, got {quoted(judgment.scores)}")
    if judgment.meta_score is not None and not math.isfinite(judgment.meta_score):
        raise RecordError(f"{name}: expected a finite meta-score, got {judgment.meta_score}")
    if not is_weight(judgment.weight, voted=judgment.voted):
        raise RecordError(
            f"{name}: expected a finite weight, above 0 where it votes, got {judgment.weight}"
        )
    weights = [one.weight for one in judgment.principles if one.weight is not None]
    _check_numbers(name, [], weights)


def _check_sample(one: Sample, n: int) -> None:
    if not 0 <= one.sample < MAX_K:
        raise RecordError(f"expected samples of number 0 to {MAX_K - 1}, got {quoted(one.sample)}")
    name = f"sample {one.sample}"
    if len(set(one.order)) != len(one.order) or not set(one.order) <= set(range(n)):
        raise RecordError(
            f"{name}: expected an order of some of {n} responses, got {quoted(one.order)}"
        )
    logs = [log for token in one.tokens for log in (token.logprob, *token.top.values())]
    counts = [one.run, one.seed, one.prompt_tokens, one.output_tokens]
    costs = [one.seconds, one.money or 0.0, one.flops or 0.0]
    _check_numbers(name, [*counts, one.cached_tokens or 0], [*costs, *logs])


def _are_scores(scores: Sequence[float | None], n: int) -> bool:
    return len(scores) == n and all(score is None or math.isfinite(score) for score in scores)


def _check_numbers(name: str, counts: Iterable[int], sizes: Iterable[float]) -> None:
    for count in counts:
        if not 0 <= count < _MOST:
            raise RecordError(f"{name}: expected counts from 0 on of 64 bits, got {quoted(count)}")
    for size in sizes:
        if not math.isfinite(size):
            raise RecordError(f"{name}: expected finite numbers, got {size}")
