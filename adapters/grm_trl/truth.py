"""What is known of each completion beside the judge: kept with its verdict, and nothing more."""

from __future__ import annotations

import math
import pkgutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from grm_plugin.correlation import Correlation
from grm_plugin.errors import ConfigError, InputError, quoted
from grm_plugin.evaluation.truth import LABELS, Ratings, truth_of
from grm_plugin.hosts.averages import Mean
from grm_plugin.types import Group, Verdict

Check = Callable[..., Any]


def check_at(path: str | None, metadata: Sequence[str] = ()) -> Check | None:
    """The function at an import path; None for none.

    Args:
        path: of the function.
        metadata: columns of the dataset that are kept with verdicts, too.

    Raises:
        ConfigError: there is no such function, or a column would be read as the truth in its place.
    """
    if path is None:
        return None
    if labels := [name for name in metadata if name in LABELS]:
        raise ConfigError(
            f"adapter 'trl': truth: expected to be the only truth of a response, and columns: "
            f"metadata: names {quoted(labels[0])}; rename that column, or leave one of the two out"
        )
    problem = "which is no function"
    try:
        found: Check = pkgutil.resolve_name(path)
        if callable(found):
            return found
    except (ImportError, AttributeError, ValueError) as error:
        problem = str(error)
    raise ConfigError(
        "adapter 'trl': truth: expected the import path of a function such as my_checks.right, got "
        f"{quoted(path)}: {problem}"
    )


def known(
    check: Check | None, prompts: Sequence[Any], completions: Sequence[Any], call: Mapping[str, Any]
) -> list[float | None]:
    """How good each completion is; None where nobody knows.

    Args:
        check: has the arguments of a reward of TRL.
        prompts, completions, call: as the trainer hands them to the judge.

    Raises:
        InputError: it gives something else than a finite number or None for each completion.
    """
    if check is None:
        return [None] * len(completions)
    found = check(prompts=prompts, completions=completions, **call)
    if not isinstance(found, list | tuple) or len(found) != len(completions):
        raise InputError(
            f"truth: expected {len(completions)} numbers, one per completion, got {quoted(found)}"
        )
    return [_number(value) for value in found]


def numbers(verdicts: Iterable[Verdict]) -> dict[str, float]:
    """What is logged of it: its mean, and how the rewards within a group go with it."""
    quality, follows = Mean(), Correlation()
    for verdict in verdicts:
        ratings = _ratings(verdict.group)
        quality.add(*ratings)
        both = zip(ratings, verdict.rewards or (), strict=False)  # none of either: no pairs
        follows.add((rating, reward) for rating, reward in both if reward is not None)
    return {"truth_mean": quality.value, "truth_correlation": follows.value}


def _ratings(group: Group) -> Sequence[float]:
    try:
        truth = truth_of(group)
    except InputError:  # nobody knows
        return ()
    return truth.values_N if isinstance(truth, Ratings) else ()


def _number(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool | int | float) and math.isfinite(value):
        return float(value)
    raise InputError(f"truth: expected finite numbers or None, got {quoted(value)}")
