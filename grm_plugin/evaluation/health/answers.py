"""How many samples could be read, why others were not, and how often the top is a tie."""

from __future__ import annotations

from grm_plugin.types import Verdict


def answer_sums(verdict: Verdict) -> dict[str, float]:
    """Samples and verdicts of one group, counted."""
    return {
        "verdicts": 1,
        "unscored": float(not verdict.scored),
        "samples": len(verdict.judgments) + len(verdict.failures),
        "valid": len(verdict.judgments),
        **{f"dropped {reason}": n for reason, n in verdict.failures_by_reason.items()},
    }


def tie_sums(verdict: Verdict) -> dict[str, float]:
    """Ties for the top, of single judgments and of the verdict."""
    shown = [[one for one in judgment.scores if one is not None] for judgment in verdict.judgments]
    compared = [scores for scores in shown if len(scores) > 1]
    rewards = verdict.known_rewards
    return {
        "compared": float(len(rewards) > 1),
        "ties": float(_is_tied(rewards)),
        "compared judgments": len(compared),
        "judgment ties": sum(map(_is_tied, compared)),
    }


def _is_tied(values: list[float] | tuple[float, ...]) -> bool:
    return len(values) > 1 and values.count(max(values)) > 1
