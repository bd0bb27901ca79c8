"""Errors say what, which and what to do, and survive pickling."""

from __future__ import annotations

import pickle

import pytest

import grm_plugin.errors as errors
from grm_plugin.errors import GRMError, quoted, unknown
from grm_plugin.types import Reason

CLASSES = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, GRMError)
]


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_survives_pickling_with_its_message(kind: type[GRMError]) -> None:
    two = kind in (errors.ParseError, errors.RecordedFailure)
    error = kind(Reason.TIMEOUT, "no answer") if two else kind("no answer")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert str(copy) == str(error) == "no answer"
    assert getattr(copy, "reason", None) == getattr(error, "reason", None)


@pytest.mark.parametrize("kind", CLASSES)
def test_every_engine_error_has_a_reason_that_can_be_counted(kind: type[GRMError]) -> None:
    if issubclass(kind, errors.EngineError) and kind is not errors.RecordedFailure:
        Reason(kind("x").reason)


def test_quoted_text_is_cut_and_on_one_line() -> None:
    assert quoted("a\nb") == "'a\\nb'"
    assert len(quoted("x" * 1000)) <= 80 and quoted("x" * 1000).endswith("…'")


def test_an_unknown_name_is_told_its_nearest_neighbour() -> None:
    assert unknown("voter", "meen", ["sum", "mean"]) == (
        "unknown voter 'meen'; known: mean, sum; did you mean 'mean'?"
    )
    assert unknown("voter", "zzz", []) == "unknown voter 'zzz'; known: none"
