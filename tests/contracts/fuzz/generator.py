"""Judge texts: honest answers of each contract, cut up, repeated, quoted and mixed with noise."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from grm_plugin.types import Token

WORDS = (
    "Response 1 is right. ", "so ", "not ", "I would not give ", "never ", "it ", "instead of ",
    "rather than ", "n't ", "The answer", "(", ")", "**", "$", ":", ".", ",", "`", "\"", " ", "  ",
    "\n", "\n\n", "\t", "1", "2", "8", "10", "0", "-", "4.5", "x", "y", "...", "{", "}", "[", "]",
    "Scores: ", "é", "１", "\u00a0", "not good. ", "Specific Criteria:\n", "user: ", "\\", "or ",
    "not to any of the two ", "I do not see that it ", "`",
)  # fmt: skip
FRAMES = (
    "[Conversation]", "[Responses to judge: 2]", "[Responses to judge: x]", "[Query]", "[query ]",
    "[The Begin of Response 1]", "[The Start of the Assistant", "[Start of model-2]",
    "[Start of the Query]", "## Conversation Context",
    "#### Responses to be Scored ####", "<|im_start|>", "[Response 1]", "# Conversation Context",
)  # fmt: skip
MARKS = (
    "<think>", "</think>", "<think >", "</thinking>", "<THINKING>", "[THINK]", "[/THINK]",
    "◁think▷", "◁/think▷", "<|START_THINKING|>", "<|END_THINKING|>", "<thought>", "</thoughts>",
    "<reasoning>", "</reasoning>", "<seed:think>", "</seed:think>", "<|channel>thought",
    "<channel|>", "<|channel|>analysis", "<|channel|>commentary", "<|message|>", "<|end|>",
    "<|start|>assistant", "<|channel|>final", "<|constrain|>", "json", "analysis", "Analysis",
    "assistantfinal", "<", ">", "</", "<|", "|>", "think", "`</think>`", "“</think>”", "We", "我",
    "<think" + " " * 9 + ">", "</think" + " " * 8 + ">", "<|channel|>final<|message|>",
)  # fmt: skip


def texts(seed: int, pieces: Sequence[str], answers: Sequence[str], number: int) -> list[str]:
    """``number`` texts; a third of their pieces are answers, whole or cut."""
    rng = random.Random(seed)
    frames = FRAMES if seed % 4 == 0 else ()
    common = (*WORDS, *pieces, *frames, *(f"\n{frame}" for frame in frames))
    return [_text(rng, common, answers) for _ in range(number)]


def _text(rng: random.Random, pieces: Sequence[str], answers: Sequence[str]) -> str:
    chosen = rng.choices(pieces, k=rng.randrange(9))
    for _ in range(rng.choice((1, 1, 1, 1, 1, 1, 2, 3))):
        answer = rng.choice(answers)
        if rng.random() < 0.15:
            cut = rng.randrange(len(answer) + 1)
            answer = answer[:cut] + rng.choice(("", "", rng.choice(pieces))) + answer[cut + 1 :]
        for _ in range(rng.choice((1, 1, 1, 1, 1, 2))):
            chosen.insert(rng.randrange(len(chosen) + 1), answer)
    return "".join(chosen)


def tokens(rng: random.Random, text: str, levels: Sequence[str]) -> tuple[Token, ...]:
    """``text`` cut into tokens of one to three characters, levels often alone, with likely ones."""
    found: list[Token] = []
    at = 0
    while at < len(text):
        whole = next((one for one in levels[::-1] if text.startswith(one, at)), "")
        size = len(whole) if whole and rng.random() < 0.9 else rng.choice((1, 1, 1, 2, 3))
        found.append(_token(rng, text[at : at + size], levels))
        at += size
    return tuple(found)


def _token(rng: random.Random, text: str, levels: Sequence[str]) -> Token:
    if text.strip() not in levels and rng.random() < 0.8:
        return Token(text, -0.1)
    if rng.random() < 0.02:
        return Token(text, rng.choice((math.nan, math.inf, -math.inf, 0.5, 0.0)))
    others = rng.sample([*levels, "0", "}", " 8", "x", "\n7"], k=rng.randrange(5))
    names = list(dict.fromkeys([text, *others]))
    weights = [rng.choice((0.0, 0.1, 1.0, 3.0)) for _ in names]
    weights[0] += 0.5
    total = sum(weights) * rng.choice((1.0, 1.0, 1.1, 1.5))
    logs = {
        name: math.log(weight / total) if weight else -math.inf
        for name, weight in zip(names, weights, strict=True)
    }
    told = logs if rng.random() < 0.8 else {name: logs[name] for name in names[1:]}
    return Token(text, logs[text], told)
