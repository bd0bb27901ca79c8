"""Everything the page shows of one verdict, as JSON values. Long texts are cut, and say so."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from grm_plugin.evaluation.truth import Best, Correct, Truth
from grm_plugin.hosts.scalar_telling import decided, scored
from grm_plugin.hosts.telling import by_distance, said_of_each
from grm_plugin.report import judges
from grm_plugin.report.page.rows import name_of, named, truth_known
from grm_plugin.report.tally import paid_for
from grm_plugin.types import Failure, Group, Judgment, Principle, Sample, Verdict

LONGEST = 20_000
"""Characters of a text that are shown; of a longer one its start and its end."""
_END = 5_000
MOST_SAID = 2
"""Judgments of a response whose passages are found, the nearest to the mean first."""
_as_json = json.JSONEncoder(default=repr, ensure_ascii=False).encode

Details = dict[str, Any]


def details_of(verdict: Verdict) -> Details:
    """What the page's scripts draw when a row is opened."""
    shown, truth = verdict.shown or verdict.group, truth_known(verdict.group)
    return {
        "id": named(name_of(verdict.group)),
        "unscored": cut(verdict.unscored),
        "scalar": decided(verdict.scalar) if verdict.scalar else "",
        "turns": [[cut(turn.role), cut(turn.content)] for turn in shown.conversation],
        "reference": None if shown.reference is None else cut(shown.reference),
        "principles": [cut(one) for one in shown.principles],
        "responses": [_response(verdict, shown, truth, n) for n in range(len(shown.responses))],
        "samples": [*_judgments(verdict), *map(_failure, verdict.failures)],
        "cost": _cost(verdict),
        "origin": _told(judges.named(verdict.origin)),
        "metadata": _told(verdict.group.metadata),
    }


def cut(text: str) -> str:
    """``text``, or its start and its end where it is longer than the page shows.

    >>> len(cut("x" * 10**6)) < 20_200, "980,000 characters" in cut("x" * 10**6)
    (True, True)
    """
    if len(text) <= LONGEST:
        return text
    left_out = f"[… {len(text) - LONGEST:,} characters are left out here; the record has them …]"
    return f"{text[: LONGEST - _END]}\n\n{left_out}\n\n{text[-_END:]}"


def _response(verdict: Verdict, shown: Group, truth: Truth | None, n: int) -> Details:
    return {
        "text": cut(shown.responses[n]),
        "reward": verdict.rewards[n] if verdict.rewards else None,
        "unscored": cut(verdict.unscored_responses.get(n, "")),
        "scalar": scored(verdict.scalar, n),
        "evidence": cut("".join(shown.evidence[n : n + 1])),
        "truth": _known(truth, n),
    }


def _known(truth: Truth | None, n: int) -> str:
    """What is known of response ``n``, in words; empty for nothing."""
    if truth is None:
        return ""
    if isinstance(truth, Best):
        return "known to be best" if n in truth.indices else ""
    if isinstance(truth, Correct):
        return "known to be right" if truth.labels_N[n] else "known to be wrong"
    return f"rated {truth.values_N[n]:g}"


def _judgments(verdict: Verdict) -> Iterator[Details]:
    """The judgments, nearest to the mean first; what all of them say of it would take long."""
    told: Counter[int] = Counter()
    for one in by_distance(verdict):
        scored = [n for n, score in enumerate(one.scores) if score is not None]
        telling = any(told[n] < MOST_SAID for n in scored)
        told.update(scored)
        yield _sample(one) | _judged(one) | {"passages": _passages(one) if telling else None}


def _failure(failure: Failure) -> Details:
    dropped = {"reason": str(failure.reason), "detail": cut(failure.detail)}
    return _sample(failure) | dropped


def _sample(one: Sample) -> Details:
    return {
        "name": f"{one.run}.{one.sample}" if one.run else str(one.sample),
        "order": one.order,
        "seed": one.seed,
        "tokens": [one.prompt_tokens, one.output_tokens],
        "seconds": round(one.seconds, 2),
        "text": cut(one.text),
        "said": [cut(text) for text in one.said],
    }


def _judged(judgment: Judgment) -> Details:
    return {
        "scores": judgment.scores,
        "meta": judgment.meta_score,
        "weight": judgment.weight if judgment.voted else 0,
        "principles": [_principle(one) for one in judgment.principles],
    }


def _passages(judgment: Judgment) -> dict[int, str]:
    return {n: cut("\n".join(lines)) for n, lines in said_of_each(judgment).items()}


def _principle(principle: Principle) -> list[Any]:
    return [cut(principle.text), principle.weight]


def _cost(verdict: Verdict) -> str:
    cost = verdict.spent
    spent = f"{cost.prompt_tokens:,} tokens read, {cost.output_tokens:,} written"
    return ", ".join(filter(None, [spent, f"{cost.seconds:.1f} s", paid_for(cost)]))


def _told(values: Mapping[str, Any]) -> list[list[Any]]:
    """Names with their values: single ones as they are, others as texts."""
    return [[cut(str(name)), _short(value)] for name, value in values.items()]


def _short(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return cut(value)
    return cut(_as_json(value))
