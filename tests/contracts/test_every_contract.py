"""What holds for every contract, whatever a judge writes."""

from __future__ import annotations

import math
import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.contracts.contract import Answer
from grm_plugin.errors import ParseError
from grm_plugin.types import Reason, Token
from tests.contracts.fuzz.targets import TARGETS, Target, expected_target
from tests.contracts.reading import FACTORIES

CASES = {
    f"{name} {number}": target
    for name, targets in TARGETS.items()
    for number, target in enumerate(targets)
}
EXPECTED = expected_target()
SIZE = 300_000
PARSING = {Reason.UNREADABLE, Reason.WRONG_COUNT, Reason.OUT_OF_RANGE}


def some(target: Target) -> st.SearchStrategy[str]:
    known = st.sampled_from([*target.pieces, *target.answers])
    return st.lists(known | st.text(max_size=8), max_size=12).map("".join)


@pytest.mark.parametrize("case", CASES)
@given(data=st.data(), n=st.integers(1, 4))
def test_any_text_gives_n_scores_on_the_scale_or_a_parse_error(
    case: str, data: st.DataObject, n: int
) -> None:
    target = CASES[case]
    text = data.draw(some(target))
    try:
        scores = target.read.read(Answer(text, n, target.scale)).scores
    except ParseError as error:
        assert error.reason in PARSING and len(str(error)) < 700
    else:
        low, high = target.scale
        assert len(scores) == n and all(low <= score <= high for score in scores)


floats = st.floats(allow_nan=True, allow_infinity=True)
tokens = st.builds(
    Token,
    st.sampled_from(["\\boxed", "{", "}", "8", " 8", "1", "0", "10", ",", "", "\ud800", "x"]),
    floats,
    st.dictionaries(st.sampled_from(["8", "7", "10", "1", "0", " 9", "x", ""]), floats),
)


@given(st.lists(tokens, max_size=12), st.integers(1, 3))
def test_any_tokens_give_n_scores_on_the_scale_or_a_parse_error(given: list[Token], n: int) -> None:
    text = "\\boxed{" + "".join(one.text for one in given) + "}"
    end = (Token("}", 0.0),)
    try:
        scores = EXPECTED.read.read(Answer(text, n, EXPECTED.box.scale, (*given, *end))).scores
    except ParseError as error:
        assert error.reason in PARSING
    else:
        assert len(scores) == n and all(
            1 <= score <= 10 and math.isfinite(score) for score in scores
        )


@pytest.mark.parametrize("case", CASES)
def test_a_long_hostile_text_is_read_in_a_moment(case: str) -> None:
    target, rng = CASES[case], random.Random(0)
    for piece in (*target.pieces, *target.answers, *rng.choices(' \n\t{[<`"9-,', k=3)):
        text, started = piece * (SIZE // len(piece)), time.process_time()
        try:
            target.read.read(Answer(text, 2, target.scale))
        except ParseError as error:
            assert len(str(error)) < 700
        # half a second where nothing else runs; minutes, were it quadratic
        assert time.process_time() - started < 5, piece


@pytest.mark.parametrize("name", FACTORIES)
def test_every_contract_is_offered_by_the_registry(name: str) -> None:
    assert name in {"boxed", "section", "tag", "json", "expected"}
    assert callable(FACTORIES[name])
