"""Which part of a completion is thinking: one table of marks, for judges and for policies.

A block is thinking only where it opens the text, or where the chat template opened it, so that the
text holds its closing mark alone. Marks further on are text: an answer may be about them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from grm_plugin.errors import ConfigError, quoted


class Marks(NamedTuple):
    """One family's marks, as regular expressions: what opens a thought, and what closes it.

    Each begins with a character, not with a choice, so that a text without it is passed quickly.
    ``cut`` finds the opening of a thought that never closes, where that is less than ``opens``.
    """

    opens: str
    closes: str
    cut: str = ""
    flags: re.RegexFlag = re.IGNORECASE


def _tags(name: str) -> Marks:
    return Marks(rf"<{name}\s{{0,8}}>", rf"</{name}\s{{0,8}}>")


_CHANNEL = r"<\|channel\|>"
_START = r"<\|start\|>assistant"
_FINAL = rf"{_CHANNEL}final[^<>]{{0,40}}(?:<\|constrain\|>\w{{1,20}})?<\|message\|>"
_THOUGHT = rf"{_CHANNEL}(?:analysis|commentary)"
FAMILIES = (
    _tags("think(?:ing)?"),
    _tags("thoughts?"),
    _tags("reasoning"),
    _tags("seed:think"),
    Marks(r"\[THINK\]", r"\[/THINK\]"),  # Mistral
    Marks("◁think▷", "◁/think▷"),  # Kimi
    Marks(r"<\|START_THINKING\|>", r"<\|END_THINKING\|>"),  # Cohere
    Marks(r"<\|begin_of_thought\|>", r"<\|end_of_thought\|>"),
    Marks(r"<\|channel>thought", r"<channel\|>"),  # Gemma
    Marks(  # harmony
        rf"{_THOUGHT}|{_START}{_THOUGHT}",
        rf"{_FINAL}|{_START}{_FINAL}|<\|end\|>{_FINAL}|<\|end\|>{_START}{_FINAL}",
    ),
)
# harmony without its tokens; no word of an answer begins with "analysis" and a capital
_STRIPPED = Marks("analysis", "assistantfinal", r"analysis(?=[^\W\d_a-z])", re.NOFLAG)
_END = 200  # characters of a prompt in which an opening mark at its end is found
_QUOTES = "`\"'“”‘’«»"
# every closing mark above has one of these: most texts have none, and need no slow search
_IN_CLOSING = ("</", "[/", "◁/", "|>")


class Thinking:
    """The marks of thinking, and what of a text is left without it.

    Args:
        extra: more marks, as pairs of texts (what opens a thought, what closes it).
        closed: whether every answer comes after a thought that was closed; then a text in which
            none was (it was cut while thinking) holds no answer.

    Raises:
        ConfigError: an extra mark is empty, or not one of a pair.
    """

    def __init__(self, extra: Iterable[tuple[str, str]] = (), *, closed: bool = False) -> None:
        more = tuple(map(_extra, extra))
        families = (*FAMILIES, *more)
        self.closed = closed
        self._in_closing = () if more else _IN_CLOSING
        self._families = tuple(map(_compiled, (*families, _STRIPPED)))
        self._opens = _any_of(one.opens for one in families)
        self._closes = _any_of(one.closes for one in families)
        begins = _any_of(one.opens for one in (*families, _STRIPPED))
        self._begins = re.compile(rf"\s*(?:{begins.pattern})", re.IGNORECASE)
        self._left_open = re.compile(rf"(?:{self._opens.pattern})\s*\Z", re.IGNORECASE)

    def ends_open(self, prompt: str) -> bool:
        """Whether a completion of ``prompt`` begins inside a thought, as some chat templates do.

        >>> Thinking().ends_open("user: Rhyme!\\nassistant: <think>\\n")
        True
        """
        return bool(self._left_open.search(prompt[-_END:]))

    def answer(self, text: str, *, opened: bool = False) -> str:
        """``text`` without the thinking before it: always an end of ``text``, or all of it.

        Dropped are the blocks that open the text, one after another, each up to the first closing
        mark of its family. If none opens it: all up to the first closing mark, unless an opening
        one stands at its left. A mark between quotation marks or backticks closes nothing. A block
        that opens the text and never closes leaves no answer.

        Args:
            text: a completion.
            opened: whether the prompt ended in an opening mark.

        >>> Thinking().answer("<think>A rhyme?</think>Write <think> first, </think> last.")
        'Write <think> first, </think> last.'
        """
        end = self._first_close(text, opened=opened)
        if end is None:
            return ""
        end = self._blocks(text, end)
        if end is None or (self.closed and not end):
            return ""
        return text[end:]

    def final_answer(self, text: str, *, opened: bool = False) -> str:
        """What a judge wrote after the last closing mark: nothing before it can become a score.

        A judge that quotes a closing mark while it thinks ends its thinking early for ``answer``,
        and a draft would be read. Here all up to the last closing mark is thinking.
        """
        rest = self.answer(text, opened=opened)
        last = max((close.end() for close in self._closings(rest)), default=0)
        end = self._blocks(rest, last)
        return "" if end is None else rest[end:]

    def _first_close(self, text: str, *, opened: bool) -> int | None:
        """Where thinking that the template opened ends: 0 if it opened none, None if never."""
        for close in self._closings(text):
            return close.end() if opened or not self._opens.search(text, 0, close.start()) else 0
        return None if opened else 0

    def _closings(self, text: str) -> Iterator[re.Match[str]]:
        """The closing marks of any family in ``text``."""
        if self._in_closing and not any(part in text for part in self._in_closing):
            return iter(())
        return _unquoted(self._closes, text, 0)

    def _blocks(self, text: str, end: int) -> int | None:
        """Where the blocks that follow each other from ``end`` on are over; None if never."""
        while self._begins.match(text, end):
            found = end
            for opens, closes, cut in self._families:
                if block := opens.match(text, end):
                    close = next(_unquoted(closes, text, block.end()), None)
                    if close is None and cut.match(text, end):
                        return None
                    end = close.end() if close else end
                    break
            if end == found:
                break
        return end


def _compiled(marks: Marks) -> tuple[re.Pattern[str], ...]:
    opens, closes, cut, flags = marks
    opened, begun = (re.compile(rf"\s*(?:{one})", flags) for one in (opens, cut or opens))
    return opened, re.compile(closes, flags), begun


def _any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


def _extra(pair: tuple[str, str]) -> Marks:
    match pair:
        case (str(opens), str(closes)) if opens and closes:
            return Marks(re.escape(opens), re.escape(closes))
    raise ConfigError(
        f"thinking: expected marks as pairs of texts, say ['<plan>', '</plan>'], got {quoted(pair)}"
    )


def _unquoted(pattern: re.Pattern[str], text: str, start: int) -> Iterator[re.Match[str]]:
    return (found for found in pattern.finditer(text, start) if not _is_quoted(text, found))


def _is_quoted(text: str, found: re.Match[str]) -> bool:
    start, end = found.span()
    return start > 0 and end < len(text) and text[start - 1] in _QUOTES and text[end] in _QUOTES
