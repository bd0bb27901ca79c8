"""The expected score: a mean over the levels, by the probabilities of the answer's own tokens."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.contracts.contract import Answer, Contract
from grm_plugin.errors import ConfigError, ParseError
from grm_plugin.types import Reason, Scale, Token
from tests.contracts.reading import POINTS, UNIT, contract

BOXED = contract("expected")
LETTERS = {chr(ord("A") + step): 20 - step for step in range(20)}
VERIFIER = contract(
    "expected",
    of={
        "name": "tag",
        "opens": ["<score_A>", "<score_B>"],
        "closes": ["</score_A>", "</score_B>"],
        "values": LETTERS,
    },
)
YES_NO = contract(
    "expected",
    of={
        "name": "tag",
        "opens": "Final Judgement:",
        "shows": "each",
        "values": {"Yes": 1, "No": 0},
    },
)
VERDICT = contract(
    "expected",
    of={
        "name": "tag",
        "opens": "<answer>",
        "closes": "</answer>",
        "shows": "pair",
        "values": {"A": 1, "B": -1},
    },
)


def token(text: str, **top: float) -> Token:
    """A token and what else could stand there; ``b_`` before a text is a blank."""
    told = {name.replace("b_", " ").replace("n", ""): math.log(p) for name, p in top.items()}
    return Token(text, told.get(text, 0.0), told)


def plain(text: str) -> list[Token]:
    return [Token(text, 0.0, {text: 0.0})]


def read(contract: Contract, tokens: list[Token], n: int, scale: Scale = POINTS) -> tuple:
    text = "".join(one.text for one in tokens)
    return contract.read(Answer(text, n, scale, tuple(tokens)))


def error(contract: Contract, tokens: list[Token], n: int, scale: Scale = POINTS) -> str:
    with pytest.raises(ParseError) as caught:
        read(contract, tokens, n, scale)
    assert caught.value.reason in (Reason.UNREADABLE, Reason.WRONG_COUNT)
    return str(caught.value)


def test_scores_are_the_means_of_what_could_have_stood_in_the_box() -> None:
    first, second = token("8", n8=0.5, n7=0.25, n9=0.25), token(" 3", b_3=0.75, b_4=0.25)
    tokens = [*plain("Scores: \\boxed{"), first, *plain(","), second, *plain("}")]
    assert read(BOXED, tokens, 2).scores == pytest.approx((8, 3.25))
    # up to the end: they spell the end of the text, by which a replay finds the answer again
    assert read(BOXED, tokens, 2).tokens == (first, *plain(","), second, *plain("}"))


def test_a_blank_before_a_level_makes_no_other_level() -> None:
    tokens = [*plain("\\boxed{"), token("8", n8=0.5, b_8=0.25, b_9=0.25), *plain("}")]
    assert read(BOXED, tokens, 1).scores == pytest.approx((8.25,))


def test_what_is_no_level_does_not_count_and_the_rest_is_renormalised() -> None:
    tokens = [*plain("\\boxed{"), token("8", n8=0.45, n6=0.45, x=0.1), *plain("}")]
    assert read(BOXED, tokens, 1).scores == pytest.approx((7,))


def test_a_place_where_the_levels_hold_too_little_is_unreadable() -> None:
    tokens = [*plain("\\boxed{"), token("8", n8=0.5, x=0.5), *plain("}")]
    assert "expected levels that hold 0.8 of the probability at '8', got 0.5" in error(
        BOXED, tokens, 1
    )
    assert read(contract("expected", min_mass=0.5), tokens, 1).scores == (8,)


def test_a_level_of_one_token_stands_beside_its_own_beginning() -> None:
    tokens = [*plain("\\boxed{"), token("8", n8=0.5, n10=0.3, n1=0.2), *plain("}")]
    assert read(BOXED, tokens, 1).scores == pytest.approx((0.5 * 8 + 0.3 * 10 + 0.2,))


def test_a_level_of_two_tokens_gets_its_share_where_it_was_begun() -> None:
    one = token("1", n1=0.6, n9=0.4)
    for after in (token("0", n0=0.75), token("}", **{"}": 0.25, "n0": 0.75})):
        rest = plain("}") if after.text == "0" else []
        tokens = [*plain("\\boxed{"), one, after, *rest]
        expected = 0.6 * 0.75 * 10 + 0.6 * 0.25 * 1 + 0.4 * 9
        assert read(BOXED, tokens, 1).scores == pytest.approx((expected,))
    assert read(BOXED, [*plain("\\boxed{"), one, *plain("0"), *plain("}")], 1).tokens[0] == one


def test_a_beginning_that_was_not_written_counts_for_no_level() -> None:
    tokens = [*plain("\\boxed{"), token("8", n8=0.9, n1=0.1), *plain("}")]
    assert read(BOXED, tokens, 1).scores == (8,)
    tokens = [*plain("\\boxed{"), token("8", n8=0.6, n1=0.4), *plain("}")]
    assert "a level that is the start of another counts only where" in error(BOXED, tokens, 1)


@pytest.mark.parametrize("merged", [["\\boxed{8", "}"], ["\\boxed{", "8}"], ["\\boxed{8}"]])
def test_a_level_merged_with_its_surroundings_is_refused_by_name(merged: list[str]) -> None:
    message = error(BOXED, [Token(text, 0.0, {text: 0.0}) for text in merged], 1)
    assert "expected the answer '8' as one token, or as two" in message
    assert "such as letters" in message


def test_a_level_of_three_tokens_is_refused_by_name() -> None:
    tokens = [Token(text, 0.0) for text in ("\\boxed{", "1", "0", "0", "}")]
    assert "expected the answer '100' as one token" in error(BOXED, tokens, 1, Scale(0, 100))


def test_a_score_between_the_levels_is_refused() -> None:
    tokens = [Token(text, 0.0) for text in ("\\boxed{", "7", ".", "5", "}")]
    assert "expected one of the levels 1, 2" in error(BOXED, tokens, 1)


def test_without_probabilities_there_is_no_score() -> None:
    with pytest.raises(ParseError, match=r"as one token, or as two, got '\[\]'"):
        BOXED.read(Answer("\\boxed{8}", 1, POINTS))


def test_tokens_of_another_text_give_no_score() -> None:
    with pytest.raises(ParseError, match=r"as one token"):
        BOXED.read(Answer("\\boxed{8}", 1, POINTS, (token("8"), token(")"))))


def test_tokens_may_spell_only_the_end_of_the_answer_or_more_than_it() -> None:
    tokens = (token("8", n8=0.5, n9=0.5), *plain("}"))
    assert BOXED.read(Answer("\\boxed{8}", 1, POINTS, tokens)).scores == (8.5,)
    tokens = (*plain("</think>\\boxed{"), *tokens)
    assert BOXED.read(Answer("\\boxed{8}", 1, POINTS, tokens)).scores == (8.5,)


def test_an_answer_that_its_contract_refuses_is_refused() -> None:
    tokens = [*plain("\\boxed{"), token("8"), *plain("} \\boxed{"), token("7"), *plain("}")]
    assert "expected one answer" in error(BOXED, tokens, 1)
    assert "expected 2 scores, got 1" in error(
        BOXED, [*plain("\\boxed{"), token("8"), *plain("}")], 2
    )


def test_letters_give_a_score_for_each_response_by_its_own_mark() -> None:
    tokens = [
        *plain("<score_A>"), token("A", A=0.5, B=0.5), *plain("</score_A>\n<score_B>"),
        token("T", T=1.0), *plain("</score_B>"),
    ]  # fmt: skip
    assert read(VERIFIER, tokens, 2, Scale(1, 20)).scores == pytest.approx((19.5, 1))


def test_the_word_at_the_end_gives_its_share_of_the_two() -> None:
    tokens = [*plain("So.\nFinal Judgement:"), token(" Yes", b_Yes=0.6, b_No=0.3, b_Maybe=0.1)]
    assert read(YES_NO, tokens, 1, UNIT).scores == pytest.approx((2 / 3,))


def test_a_verdict_on_a_pair_becomes_an_expected_margin() -> None:
    tokens = [*plain("<answer>"), token("A", A=0.75, B=0.25), *plain("</answer>")]
    assert read(VERDICT, tokens, 2, UNIT).scores == pytest.approx((0.75, 0.25))


def test_it_asks_for_probabilities_and_is_the_contract_it_wraps_otherwise() -> None:
    assert (BOXED.logprobs, contract("expected", top=5).logprobs) == (20, 5)
    plain_tag = contract("tag", opens="<answer>", closes="</answer>", shows="pair")
    assert VERDICT.shows == plain_tag.shows and VERDICT.forms[:2] == plain_tag.forms[:2]


def test_wrong_options_are_refused_by_name() -> None:
    with pytest.raises(ConfigError, match=r"contract 'expected': of: unknown contract 'json'"):
        contract("expected", of="json")
    with pytest.raises(ConfigError, match=r"contract 'tag': opens: required, and not given"):
        contract("expected", of="tag")
    with pytest.raises(ConfigError, match=r"contract 'expected': min_mass"):
        contract("expected", min_mass=0)


masses = st.dictionaries(st.sampled_from("23456789xyz"), st.floats(0.001, 1), min_size=1)


@given(masses, st.sampled_from("23456789"))
def test_a_score_is_a_mean_of_levels_with_all_of_their_share(
    masses: dict[str, float], drawn: str
) -> None:
    masses.setdefault(drawn, 0.5)
    total = sum(masses.values())
    shares = {text: p / total for text, p in masses.items()}
    told = {text: math.log(p) for text, p in shares.items()}
    tokens = [*plain("\\boxed{"), Token(drawn, told[drawn], told), *plain("}")]
    levels = {text: p for text, p in shares.items() if text.isdigit()}
    expected = sum(int(text) * p for text, p in levels.items()) / sum(levels.values())
    judge = contract("expected", min_mass=1e-9)
    assert read(judge, tokens, 1).scores == pytest.approx((expected,))


@given(st.floats(allow_nan=True, allow_infinity=True), st.floats(allow_nan=True))
def test_probabilities_that_are_none_never_give_a_score_off_the_scale(
    one: float, other: float
) -> None:
    tokens = [*plain("\\boxed{"), Token("8", one, {"8": one, "7": other}), *plain("}")]
    try:
        (score,) = read(BOXED, tokens, 1).scores
    except ParseError as caught:
        assert caught.reason == Reason.UNREADABLE
    else:
        assert 1 <= score <= 10
