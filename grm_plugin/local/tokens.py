"""The tokens of a finished text: their own texts, and the probabilities that came with them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import Any

from grm_plugin.types import Token

# tokens behind the end of a text: an end mark, or a stop text that was cut off
_BEHIND = 32
_HALF_A_CHARACTER = "�"


class TokenReader:
    """Reads token ids as texts, with a tokenizer of transformers.

    Args:
        tokenizer: the one of the model that wrote them.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._alone: dict[int, str] = {}

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ``ids`` without special tokens."""
        return str(
            self._tokenizer.decode(
                ids, skip_special_tokens=True, clean_up_tokenization_spaces=False
            )
        )

    def tokens(
        self, ids: Sequence[int], text: str, places: Sequence[Mapping[int, float]]
    ) -> tuple[Token, ...]:
        """The tokens at the end of ``text``.

        Args:
            ids: what the model wrote.
            text: what was made of it; its end may be cut off.
            places: for every id the likeliest ids at its place with their log probabilities, the
                id itself among them.
        """
        told = zip(ids, self._pieces(ids), places, strict=True)
        return aligned([self._token(token, piece, place) for token, piece, place in told], text)

    def _token(self, token: int, piece: str, place: Mapping[int, float]) -> Token:
        texts = ((piece if one == token else self._read(one), place[one]) for one in place)
        return Token(piece, place[token], merged(texts))

    def _read(self, token: int) -> str:
        if token not in self._alone:
            self._alone[token] = self._tokenizer.decode([token])
        return self._alone[token]

    def _pieces(self, ids: Sequence[int]) -> list[str]:
        """A text for every id; joined they are the whole text."""
        whole = self.decode(ids)
        pieces = list(self._stepwise(ids))
        return pieces if "".join(pieces) == whole else list(self._by_prefixes(ids, whole))

    def _stepwise(self, ids: Sequence[int]) -> Iterator[str]:
        """Each new piece read after the one before it, in time that grows with the ids."""
        before = after = 0
        for end in range(1, len(ids) + 1):
            known, longer = self.decode(ids[before:after]), self.decode(ids[before:end])
            if longer.endswith(_HALF_A_CHARACTER) and end < len(ids):
                yield ""
                continue
            yield longer[len(known) :]
            before, after = after, end

    def _by_prefixes(self, ids: Sequence[int], whole: str) -> Iterator[str]:
        """The same for tokenizers whose pieces change with what stands around them; slow."""
        told = 0
        for end in range(1, len(ids) + 1):
            prefix = self.decode(ids[:end]) if end < len(ids) else whole
            reached = max(told, _shared(prefix, whole))
            yield whole[told:reached]
            told = reached


def _shared(one: str, other: str) -> int:
    """Characters that both start with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def merged(texts: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Pairs of text and log probability as a mapping; equal texts share one sum."""
    found: dict[str, float] = {}
    for text, logprob in texts:
        found[text] = _sum(found[text], logprob) if text in found else logprob
    return found


def _sum(a: float, b: float) -> float:
    """The logarithm of the sum of two probabilities, from their logarithms."""
    high, low = max(a, b), min(a, b)
    return high + math.log1p(math.exp(low - high)) if high > -math.inf else high


def aligned(tokens: Sequence[Token], text: str) -> tuple[Token, ...]:
    """Those of ``tokens`` whose texts, joined, are the end of ``text``, as many as there are.

    What was written behind the end of the text falls away, and of a token across it the part
    behind.

    >>> written = [Token("a", -1.0), Token("b.", -2.0), Token("</end>", -3.0)]
    >>> [token.text for token in aligned(written, "ab")]
    ['a', 'b']
    """
    if "".join(token.text for token in tokens).startswith(text):
        return tuple(_until(len(text), tokens))
    best: tuple[Token, ...] = ()
    for last in range(len(tokens), max(0, len(tokens) - _BEHIND), -1):
        best = max(best, _ending(tokens[:last], text), key=_characters)
    return best


def _until(end: int, tokens: Sequence[Token]) -> Iterator[Token]:
    """The tokens of the first ``end`` characters, the last of them cut."""
    for token in tokens:
        if end <= 0:
            return
        yield token if len(token.text) <= end else replace(token, text=token.text[:end])
        end -= len(token.text)


def _characters(tokens: Sequence[Token]) -> int:
    return sum(len(token.text) for token in tokens)


def _ending(tokens: Sequence[Token], text: str) -> tuple[Token, ...]:
    found: list[Token] = []
    end = len(text)
    for token in reversed(tokens):
        shown = token.text if found else _before_the_end(token.text, text)
        if not (shown or found) or not end or not text.endswith(shown, 0, end):
            break
        found.append(token if shown == token.text else replace(token, text=shown))
        end -= len(shown)
    return tuple(reversed(found))


def _before_the_end(piece: str, text: str) -> str:
    """The longest start of ``piece`` that ``text`` ends with."""
    cuts = range(len(piece), 0, -1)
    return next((piece[:cut] for cut in cuts if text.endswith(piece[:cut])), "")
