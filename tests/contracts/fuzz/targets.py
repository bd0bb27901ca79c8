"""What is compared: every contract under several settings, and the thinking before its answers."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from grm_plugin.contracts.contract import Answer, Contract
from grm_plugin.errors import ParseError
from grm_plugin.thinking import Thinking
from grm_plugin.types import Scale
from tests.contracts.fuzz import generator, thoughts
from tests.contracts.fuzz.means import expected
from tests.contracts.fuzz.objects import objects
from tests.contracts.fuzz.placed import (
    Rules,
    boxes,
    other_scores,
    placed,
    sections,
    settled,
    tags,
)
from tests.contracts.fuzz.scanning import Refused
from tests.contracts.reading import contract

Outcome = tuple[float, ...] | str
RANKS = {"1": 5.0, "2": 3.0, "3": 1.0, "4": -1.0, "5": -3.0, "6": -5.0}
AB = {"[[A]]": 1.0, "[[B]]": -1.0}
LETTERS = {"A": 1.0, "B": -1.0, "C": 0.0}
MODELS = {"Model A": 1.0, "Model B": -1.0, "true": 0.0}
TEN, FIVE, UNIT = Scale(1, 10), Scale(1, 5), Scale(0, 1)
THINKING = Thinking()


@dataclass(frozen=True)
class Target:
    """Two readers of one form, and what texts for it are made of."""

    read: Contract
    oracle: Callable[..., tuple[float, ...]]
    scale: Scale
    n: tuple[int, ...]
    pieces: Sequence[str]
    answers: Sequence[str]

    def differs(self, text: str, n: int) -> tuple[Outcome, Outcome] | None:
        """What the two say of ``text`` where it is not the same."""
        ours, theirs = self.ours(text, n), told(self.oracle, text, n)
        return None if alike(ours, theirs) else (ours, theirs)

    def ours(self, text: str, n: int) -> Outcome:
        return read(self.read, Answer(text, n, self.scale))


def read(reader: Contract, answer: Answer) -> Outcome:
    """The scores, or the reason why there are none."""
    try:
        return reader.read(answer).scores
    except ParseError as error:
        return str(error.reason)


def told(oracle: Callable[..., tuple[float, ...]], *asked: object) -> Outcome:
    """What an oracle says."""
    try:
        return oracle(*asked)
    except Refused as error:
        return str(error)


def alike(one: Outcome, other: Outcome) -> bool:
    """Whether two outcomes are the same up to rounding."""
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    return len(one) == len(other) and all(
        abs(a - b) < 1e-9 for a, b in zip(one, other, strict=True)
    )


def rules(scale: Scale, values: dict[str, float] | None = None, *, pair: bool = False,
          blanks: bool = False) -> Rules:  # fmt: skip
    return Rules(values or {}, pair and bool(values), *scale, blanks)


def boxed(values: dict[str, float] | None, scale: Scale, n: tuple[int, ...]) -> Target:
    shows = "pair" if values else "list"
    told = rules(scale, values, pair=bool(values))
    inside = (
        list(values) if values else ["8, 2"] * 6 + ["8,2", "8.0, 2", "8, 2, 3", "7", "7", "11, 3"]
    )
    inside += ["x, y", "x_1, ..., x_n", "8/10, 2", "", "2 > 1", "8, N/A", "\\frac{1}{2}", " 8,\n2 "]
    return Target(
        contract("boxed", shows=shows, values=values or {}),
        placed([lambda text: boxes(text, told)], told, other_scores(told)),
        scale,
        n,
        (
            "\\boxed",
            "\\boxed{",
            "\\boxed {",
            "boxed",
            "\\\\boxed",
            "\n> ",
            "“",
            "”",
            '"',
            "Score = ",
            "Score: 7",
            "\nScore: 8",
            "\n**Final Score** is [7]",
            "rating: $8$",
            "Ratings",
            " is ",
        ),
        [f"\\boxed{{{one}}}" for one in inside],
    )


def section(values: dict[str, float] | None, scale: Scale, **more: bool) -> Target:
    box, stops = more.get("box", True), more.get("stops", False)
    told = rules(scale, values, pair=bool(values))
    opens, closes = "[The Begin of Ranking Score]", "[The End of Ranking Score]"
    inside = ["\\boxed{2}", "\\boxed{6}", "\\boxed{z}", "\\boxed{4, 2}", "2", "4, 2", "none"]
    whole = [f"{opens}\n{one}\n{closes}" for one in inside]
    return Target(
        contract("section", section="Ranking Score", shows="pair", values=values or {}, **more),
        placed([sections(opens, closes, told, box=box, stops=stops)], told),
        scale,
        (2,),
        (
            opens,
            closes,
            opens.replace(" ", "\n "),
            closes.lower(),
            "[The Begin of",
            *inside,
            "[The Begin of Individual Scores]",
            "[The End of Individual Scores]",
        ),
        [*whole, *whole, f"{opens} {inside[0]}", f"{opens}{inside[5]}"],
    )


def tag(opens: list[str], closes: list[str], values: dict[str, float] | None, shows: str,
        scale: Scale, n: tuple[int, ...], inside: Sequence[str]) -> Target:  # fmt: skip
    told = rules(scale, values, pair=shows == "pair", blanks=True)
    ends = closes if len(closes) == len(opens) else (closes or [""]) * len(opens)
    pairs = list(zip(opens, ends, strict=True))
    whole = ["".join(f"{a}{one}{b} " for a, b in pairs) for one in inside]
    return Target(
        contract("tag", opens=opens, closes=closes, values=values or {}, shows=shows),
        placed([tags(*pair) for pair in pairs], told),
        scale,
        n,
        (*opens, *closes, *inside, opens[0].lower(), opens[0].replace(" ", "\n")),
        [*whole, *(f"{opens[0]} {one}\n{ends[0]}" for one in inside)],
    )


def json_object(keys: list[str], ids: str, values: dict[str, float] | None, shows: str,
                scale: Scale, n: tuple[int, ...], answers: Sequence[str]) -> Target:  # fmt: skip
    told = rules(scale, values, pair=shows == "pair")
    lines = [f"\n{one}\n" for one in answers]
    return Target(
        contract("json", keys=keys, ids=ids, values=values or {}, shows=shows),
        objects(keys, ids, told),
        scale,
        n,
        (*(f'"{key}"' for key in keys), *(f'"{key}" :' for key in keys), '{"', '"}', "```json\n",
         "```", "null", "true", "1e0", "NaN", "{}", "\n{", "\\u0041", '\\"', '"why": "a {b}", '),
        [*answers, *lines, *(f"```json\n{one}\n```" for one in answers)],
    )  # fmt: skip


SCORES = [
    '{"score_1": 4, "score_2": 2}', '{"score_2": 2, "why": "{x}", "score_1": 4.0}',
    '{"score_1": 9, "score_2": 2}', '{"score_1": 4}', '{"score_1": 4, "score_1": 4}',
    '{"score_1": "4", "score_2": [2]}', '{"a": {"score_1": 4, "score_2": 2}}',
]  # fmt: skip
NAMED = [
    '{"scores": {"model-1": 5, "model-2": 1}}', '{"scores": {"model-2": 1, "model-1": 5, "x": 1}}',
    '{"scores": {"model-1": 5}}', '{"scores": [5, 1]}', '{"best": [], "scores": {"model-1": 05}}',
]  # fmt: skip
CHOSEN = [
    '{"Choice": "Model A"}', '{"Choice": "Model B", "why": ""}', '{"Choice": "A"}',
    '{"Choice": true}', '{"Choice": ["Model A"]}', '{"Choice": ["Model A", "Model B"]}',
]  # fmt: skip
VALUED = ["[[A]]", "[[B]]", "[[C]]", " [[A]] ", "A", "[[A]] [[B]]"]
TARGETS: dict[str, list[Target]] = {
    "boxed": [
        boxed(None, TEN, (2, 2, 2, 1, 3)),
        boxed({"Assistant 1": 1, "Assistant 2": -1}, UNIT, (2,)),
    ],
    "section": [
        section(RANKS, UNIT),
        section(None, TEN),
        section(RANKS, FIVE, stops=True),
        section(None, TEN, box=False),
    ],
    "tag": [
        tag(["<answer>"], ["</answer>"], AB, "pair", UNIT, (2,), VALUED),
        tag(["[["], ["]]"], LETTERS, "pair", UNIT, (2,), ["A", "B", "C", "D", "1, 2", " A"]),
        tag(["<answer>"], ["</answer>"], None, "pair", TEN, (2,), ["8 3", "8, 3", "8.0\n3", "8"]),
        tag(["[RESULT]"], [], None, "each", FIVE, (1,),
            ["4", "4.", "5", "**4**", "`4`", "4/5", "6"]),
        tag(["final decision is"], [], {"Response 1": 1, "Tie": 0, "Response 2": -1}, "pair", TEN,
            (2,), ["Response 1", "Response 2.", "Tie", "Response 1 / Response 2", "Response"]),
        tag(["<score_A>", "<score_B>"], ["</score_A>", "</score_B>"], None, "list", TEN, (2,),
            ["8", "3", "3.0", "8 3", "12"]),
    ],
    "json": [
        json_object(["score_1", "score_2"], "", None, "pair", FIVE, (2,), SCORES),
        json_object(["scores"], "model-{index}", None, "list", FIVE, (1, 2), NAMED),
        json_object(["Choice"], "", MODELS, "pair", UNIT, (2,), CHOSEN),
    ],
}  # fmt: skip


@dataclass(frozen=True)
class Tokens:
    """The contract ``expected`` and its oracle; a text is cut into tokens by its own seed."""

    read: Contract
    box: Target
    rules: Rules

    def differs(self, text: str, n: int) -> tuple[Outcome, Outcome] | None:
        tokens = generator.tokens(random.Random(text), text, [str(one) for one in range(1, 11)])
        ours = read(self.read, Answer(text, n, self.box.scale, tokens))
        oracle = expected(self.spans, self.rules, self.box.oracle, 0.6)
        theirs = told(oracle, text, n, tokens)
        return None if alike(ours, theirs) else (ours, theirs)

    def spans(self, text: str) -> list[tuple[int, str]]:
        found = boxes(text, self.rules)
        at = text.index("{", found[-1][0]) + 1
        spans = []
        for item in settled(found, text, self.rules):
            at = text.index(item, at)
            spans.append((at, item))
            at += len(item)
        return spans


@dataclass(frozen=True)
class Thoughts:
    """The marks of thinking and their oracle."""

    opened: bool

    def differs(self, text: str, n: int) -> tuple[str, str] | None:
        ours = THINKING.answer(text, opened=self.opened)
        theirs = thoughts.answer(text, opened=self.opened)
        if ours == theirs:
            ours = THINKING.final_answer(text, opened=self.opened)
            theirs = thoughts.final_answer(text, opened=self.opened)
        return None if ours == theirs else (ours, theirs)


def expected_target() -> Tokens:
    box = TARGETS["boxed"][0]
    return Tokens(contract("expected", min_mass=0.6), box, rules(TEN))
