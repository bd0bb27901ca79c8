"""A JSON object, fenced or bare: one answer, every key once, exactly the names shown."""

from __future__ import annotations

import re
import time

import pytest

from grm_plugin.errors import ConfigError, ParseError
from grm_plugin.types import Scale
from tests.contracts.reading import UNIT, contract, error, scores

PAIR = contract("json", keys=["score_1", "score_2"], shows="pair")
RANKS = {1: 5, 2: 3, 3: 1, 4: -1, 5: -3, 6: -5}
RANKING = contract("json", keys="ranking", shows="pair", values=RANKS)
EACH = contract("json", keys="score", shows="each")
TRUTH = contract("json", keys="score", shows="each", values={"true": 1, "false": 0})
CHOICE = contract(
    "json", keys="Choice", shows="pair", values={"Model A": 1, "Model B": -1, "Tie": 0}
)
IDS = contract("json", keys="scores", ids="model-{index}")
LIST = contract("json", keys="scores")
FIVE = Scale(1, 5)
NEMOTRON = '{"score_1": 4, "score_2": 2, "ranking": 2}'


@pytest.mark.parametrize(
    ("judge", "text", "n", "scale", "expected"),
    [
        (PAIR, NEMOTRON, 2, FIVE, (4, 2)),
        (PAIR, f"```json\n{NEMOTRON}\n```", 2, FIVE, (4, 2)),
        (PAIR, f"Here it is:\n```\n{NEMOTRON}\n```\nThat is all.", 2, FIVE, (4, 2)),
        (PAIR, f"{NEMOTRON}\n{NEMOTRON}", 2, FIVE, (4, 2)),
        (PAIR, '{"score_1": 4.5,\n "score_2": 2}', 2, FIVE, (4.5, 2)),
        (RANKING, NEMOTRON.replace('"ranking": 2', '"ranking": 6'), 2, UNIT, (0, 1)),
        (EACH, '{"explanation": "ok {x}", "score": 3}', 1, FIVE, (3,)),
        (TRUTH, '{"score": true}', 1, UNIT, (1,)),
        (CHOICE, '{"Choice": "Model B"}', 2, UNIT, (0, 1)),
        (IDS, '{"scores": {"model-2": 1, "model-1": 5}, "best": []}', 2, FIVE, (5, 1)),
        (LIST, '{"scores": [5, 1, 3]}', 3, FIVE, (5, 1, 3)),
    ],
)
def test_an_object_with_the_keys_is_read(
    judge: object, text: str, n: int, scale: Scale, expected: tuple[float, ...]
) -> None:
    assert scores(judge, text, n, scale) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("judge", "text", "n", "why"),
    [
        (PAIR, "Both are fine.", 2, "got 'none"),
        (PAIR, '{"score_1": 4}', 2, "expected the keys"),
        (PAIR, '{"score_1": 4, "score_2": 2', 2, "expected a JSON object"),
        (PAIR, '{"score_1": 4, "score_2": 2,}', 2, "expected a JSON object"),
        (PAIR, '{"score_1": 4, "score_1": 1, "score_2": 2}', 2, "given twice"),
        (PAIR, '{"score_1": NaN, "score_2": 2}', 2, "NaN is no number"),
        (PAIR, '{"score_1": Infinity, "score_2": 2}', 2, "no number"),
        (PAIR, '{"score_1": 1e0, "score_2": 2}', 2, "expected 2 numbers"),
        (PAIR, '{"score_1": "4", "score_2": 2}', 2, "expected a number"),
        (PAIR, '{"score_1": true, "score_2": 2}', 2, "expected a number"),
        (PAIR, '{"score_1": null, "score_2": 2}', 2, "expected a number"),
        (PAIR, '{"score_1": 4, "score_2": [2]}', 2, "expected a number"),
        (PAIR, '{"score_1": 6, "score_2": 2}', 2, "out_of_range"),
        (PAIR, NEMOTRON + "\n" + NEMOTRON.replace("4", "1"), 2, "expected one answer"),
        (PAIR, f"Mine is {NEMOTRON}", 2, "an object that begins a line"),
        (PAIR, f"{NEMOTRON} or {NEMOTRON}", 2, "an object that begins a line"),
        (PAIR, f'{NEMOTRON}\nHe wrote "score_1": 5.', 2, "an object that begins a line"),
        (PAIR, '{"result": {"score_1": 4, "score_2": 2}}', 2, "got 'none"),
        (PAIR, f"{NEMOTRON}\n[Conversation]\n", 2, "a frame"),
        (RANKING, '{"ranking": 0}', 2, "expected one of"),
        (EACH, '{"score": [3, 4]}', 1, "wrong_count"),
        (TRUTH, '{"score": 1}', 1, "expected one of"),
        (CHOICE, '{"Choice": "Model C"}', 2, "expected one of"),
        (CHOICE, '{"Choice": ["Model A", "Model B"]}', 2, "got 2 on 2"),
        (IDS, '{"scores": {"model-1": 5}}', 2, "and no others"),
        (IDS, '{"scores": {"model-1": 5, "model-2": 1, "model-3": 1}}', 2, "and no others"),
        (IDS, '{"scores": {"model-1": 5, "model-1": 5}}', 1, "given twice"),
        (IDS, '{"scores": [5, 1]}', 2, "and no others"),
        (LIST, '{"scores": [5, 1]}', 3, "wrong_count"),
        (LIST, '{"scores": []}', 3, "wrong_count"),
    ],
)
def test_anything_else_is_refused_with_its_reason(
    judge: object, text: str, n: int, why: str
) -> None:
    assert why in error(judge, text, n, FIVE)  # type: ignore[arg-type]


def test_the_keys_are_defused_in_what_others_wrote() -> None:
    forms = re.compile("|".join(PAIR.forms), re.IGNORECASE)
    assert forms.search('{"Score_1" : 5}') and not forms.search("my score_1 is 5")


def test_wrong_options_are_refused_by_name() -> None:
    with pytest.raises(ConfigError, match=r"contract 'json': keys: required, and not given"):
        contract("json")
    with pytest.raises(ConfigError, match=r"expected one key, and \{index\} in ids"):
        contract("json", keys=["a", "b"], ids="model-{index}")
    with pytest.raises(ConfigError, match=r"expected one key for a verdict on a pair"):
        contract("json", keys=["a", "b"], shows="pair", values={"x": 1})


@pytest.mark.parametrize(
    "text",
    ['{"score":' * 100_000, "{" * 900_000, "{}\n" * 300_000, "[" * 900_000, '"score":' * 100_000,
     '{"score": ' + "1" * 900_000 + "}", '{"score": 3}\n' * 50_000, '{"a": "' * 100_000,
     '{"score": [' + "3," * 400_000 + "3]}", "```json " * 100_000, " " * 900_000 + "{",
     '"score' + " " * 900_000, '{"a": ' + "[" * 900_000],
)  # fmt: skip
def test_a_hostile_text_is_read_in_no_time(text: str) -> None:
    started = time.process_time()
    try:
        scores(EACH, text, 1, FIVE)
    except ParseError as caught:
        assert len(str(caught)) < 600
    assert time.process_time() - started < 2
