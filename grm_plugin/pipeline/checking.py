"""Groups, and what parts give back, looked at where they decide a reward."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from grm_plugin.contracts.contract import Reading
from grm_plugin.engine import Draw
from grm_plugin.errors import EngineError, InputError, PluginError, TransportError, quoted
from grm_plugin.pipeline.selecting import Selection
from grm_plugin.types import Group, Judgment, Sample, Scale, is_weight

_MOST_TOKENS = 2**53  # what any reader of a record can hold
_LONGEST_S = 1e9
_SELECTORS = ("voted", "weight", "meta_score", "money")


def checked_group(group: Group) -> Group:
    """``group``, if it can be judged at all.

    Raises:
        InputError: no responses, no conversation, something other than text, evidence for another
            number of responses, or metadata without names.
    """
    if not isinstance(group.id, str):
        raise InputError(f"group {group.id!r}: id: expected a text, got {group.id!r}")
    if not isinstance(group.metadata, Mapping):
        raise InputError(
            f"group {group.label}: metadata: expected values by name, got {quoted(group.metadata)}"
        )
    if not group.responses:
        raise InputError(f"group {group.label}: expected at least one response, got none")
    if not group.conversation:
        raise InputError(f"group {group.label}: expected a conversation, got no turns")
    if group.evidence and len(group.evidence) != len(group.responses):
        raise InputError(
            f"group {group.label}: expected evidence for each of {len(group.responses)} "
            f"responses, got {len(group.evidence)}"
        )
    for where, text in _texts(group):
        if not isinstance(text, str):
            raise InputError(f"group {group.label}: {where}: expected a text, got {text!r}")
    return group


def _texts(group: Group) -> Iterator[tuple[str, object]]:
    for place, turn in enumerate(group.conversation):
        yield f"role of turn {place}", turn.role
        yield f"turn {place}", turn.content
    for kind in ("responses", "principles", "evidence"):
        for place, text in enumerate(getattr(group, kind)):
            yield f"{kind}[{place}]", text
    yield "reference", group.reference or ""


def checked_rewards(voter: str, rewards: Sequence[float], n: int) -> Sequence[float]:
    """The rewards of one run, if they are ``n`` finite numbers.

    Raises:
        PluginError: names the voter and what it gave.
    """
    try:
        if len(rewards) == n and all(map(math.isfinite, rewards)):
            return rewards
    except TypeError:  # no sequence, or something other than numbers in it
        pass
    raise PluginError(f"voter {voter!r}: expected {n} finite rewards, got {quoted(rewards)}")


def checked_selection(
    selector: str, selection: Selection, judgments: Sequence[Judgment]
) -> Selection:
    """What a selector made of ``judgments``: each of them once, kept or failed, and unchanged.

    It may set ``voted``, ``weight``, ``meta_score`` and ``money``, and nothing else.

    Raises:
        PluginError: names the selector and what is wrong.
    """
    owner = f"selector {selector!r}"
    if not isinstance(selection, Selection):
        raise PluginError(f"{owner}: expected a Selection, got {quoted(selection)}")
    if selection.tokens is not None and not _is_count(selection.tokens):
        raise PluginError(f"{owner}: expected a count of tokens, got {quoted(selection.tokens)}")
    given = {(one.run, one.sample): one for one in judgments}
    samples: list[Sample] = [*selection.judgments, *selection.failures]
    back = [(one.run, one.sample) for one in samples]
    if sorted(back) != sorted(given):
        raise PluginError(
            f"{owner}: expected each of {len(given)} judgments once, got samples "
            f"{quoted([sample for _, sample in back])}"
        )
    for one in selection.judgments:
        _check_unchanged(owner, one, given[one.run, one.sample])
    return selection


def _check_unchanged(owner: str, judgment: Judgment, given: Judgment) -> None:
    score = judgment.meta_score
    if score is not None and not math.isfinite(score):
        raise PluginError(
            f"{owner}: expected a finite meta-score of sample {judgment.sample}, got {score}"
        )
    if not is_weight(judgment.weight, voted=judgment.voted):
        raise PluginError(
            f"{owner}: expected a finite weight of sample {judgment.sample}, above 0 where it "
            f"votes, got {quoted(judgment.weight)}"
        )
    if judgment is given:
        return
    mine = {name: getattr(given, name) for name in _SELECTORS}
    if replace(judgment, **mine) != given:
        raise PluginError(
            f"{owner}: sample {judgment.sample} came back changed; a selector sets "
            f"{', '.join(_SELECTORS)}, and nothing else"
        )


def checked_order(owner: str, order: Sequence[int], members: Sequence[int]) -> tuple[int, ...]:
    """An order of a run's responses that a part named, if it is one.

    Raises:
        PluginError: it is no permutation of the run.
    """
    if sorted(order) != sorted(members):
        raise PluginError(
            f"{owner}: expected an order of the responses {sorted(members)}, got {quoted(order)}"
        )
    return tuple(order)


def checked_draws(
    owner: str, n: int, draws: Sequence[Draw | EngineError]
) -> Sequence[Draw | EngineError]:
    """``n`` draws of an engine; those that it left out count as failed.

    What a draw cost is told and not judged by: numbers that are none are 0, and cost no draw.

    Raises:
        PluginError: what it gave are no draws.
    """
    if not isinstance(draws, Sequence) or not all(
        isinstance(draw, Draw | EngineError) and _is_text(draw) for draw in draws
    ):
        raise PluginError(f"{owner}: expected {n} draws, got {quoted(draws)}")
    counted = [_counted(draw) if isinstance(draw, Draw) else _told(draw) for draw in draws[:n]]
    missing = TransportError(f"expected {n} draws from the engine, got {len(draws)}")
    return [*counted, *[missing] * (n - len(counted))]


def _counted(draw: Draw) -> Draw:
    told = {"prompt_tokens": draw.prompt_tokens, "output_tokens": draw.output_tokens}
    wrong: dict[str, Any] = {name: 0 for name, count in told.items() if not _is_count(count)}
    if not (draw.cached_tokens is None or _is_count(draw.cached_tokens)):
        wrong["cached_tokens"] = None
    if not _is_count(draw.same_prompt):
        wrong["same_prompt"] = 1
    if not (isinstance(draw.seconds, int | float) and 0 <= draw.seconds <= _LONGEST_S):
        wrong["seconds"] = 0.0
    return replace(draw, **wrong) if wrong else draw


def _told(error: EngineError) -> EngineError:
    """A failed draw; what it says that it cost may be anything, too."""
    for name in ("prompt_tokens", "output_tokens"):
        if not _is_count(getattr(error, name)):
            setattr(error, name, 0)
    if not (error.cached_tokens is None or _is_count(error.cached_tokens)):
        error.cached_tokens = None
    if not _is_count(error.same_prompt):
        error.same_prompt = 1
    return error


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_TOKENS


def _is_text(draw: Draw | EngineError) -> bool:
    return isinstance(draw, EngineError) or isinstance(draw.text, str)


def checked_reading(owner: str, reading: Reading, n: int, scale: Scale) -> Reading:
    """What a contract read, if it is ``n`` scores on the scale.

    Raises:
        PluginError: names the contract and what it gave.
    """
    try:
        low, high = scale
        if len(reading.scores) == n and all(low <= score <= high for score in reading.scores):
            return reading
    except (TypeError, AttributeError):  # no reading, or something other than numbers in it
        pass
    raise PluginError(
        f"{owner}: expected a Reading of {n} scores in {low:g}..{high:g}, got {quoted(reading)}"
    )
