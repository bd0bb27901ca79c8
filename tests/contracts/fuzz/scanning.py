"""What the oracles share: reading a text character by character, without regular expressions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

WORD = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
TRAIL = frozenset(" \t*$(\"'`:")
DENIALS = ("not", "never", "cannot", "neither", "nor", "instead of", "rather than")
BRACKETED = ("conversation]", "query]", "question]", "answer to check]", "responses]")
CONTROLS = ("<|im_start|>", "<|start_header_id|>", "<start_of_turn>")


class Refused(Exception):
    """The oracle finds no answer; the message is the reason."""


def skip(text: str, at: int) -> int:
    """The next place at or after ``at`` that is no blank."""
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def words_at(text: str, at: int, words: Sequence[str]) -> int:
    """Where ``words`` end that begin at ``at`` with blanks between them; -1 when they do not."""
    for number, word in enumerate(words):
        if number:
            gap = skip(text, at)
            if gap == at:
                return -1
            at = gap
        if not text.startswith(word, at):
            return -1
        at += len(word)
    return at


def find_words(text: str, words: Sequence[str], start: int) -> tuple[int, int] | None:
    """The first place of ``words`` at or after ``start``."""
    at = text.find(words[0], start)
    while at >= 0:
        if (end := words_at(text, at, words)) >= 0:
            return at, end
        at = text.find(words[0], at + 1)
    return None


def all_words(text: str, words: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Every place of ``words``, from left to right, none inside another."""
    end = 0
    while found := find_words(text, words, end):
        yield found
        end = found[1]


def is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def has_frame(text: str) -> bool:
    """Whether a line opens a frame of a prompt."""
    return any(_is_frame(line.lstrip(" \t").lower()) for line in text.split("\n"))


def _is_frame(line: str) -> bool:
    if line.startswith(CONTROLS):
        return True
    if line.startswith("##"):
        rest = line.lstrip("#")
        if len(line) - len(rest) > 6:
            return False
        rest = rest.removeprefix(" ")
        return rest.startswith(
            ("conversation context", "response to be scored", "responses to be scored")
        )
    if not line.startswith("["):
        return False
    line = line[1:]
    return line.startswith(BRACKETED) or _is_numbered(line) or _is_begin(line)


def _is_numbered(line: str) -> bool:
    if not line.startswith("responses"):
        return False
    rest = line.removeprefix("responses").removeprefix(" to judge")
    if rest.startswith(":"):
        rest = rest[1:].removeprefix(" ").lstrip("0123456789")
    return rest.startswith("]")


def _is_begin(line: str) -> bool:
    line = line.removeprefix("the ")
    for opening in ("begin of ", "start of "):
        if line.startswith(opening):
            rest = line.removeprefix(opening).removeprefix("the ")
            for noun in ("response", "conversation", "assistant", "model"):
                if rest.startswith(noun):
                    close = rest.find("]")
                    inner = rest[len(noun) : close]
                    return close >= 0 and "[" not in inner and len(inner) <= 40
    return False


def is_denied(text: str, start: int) -> bool:
    """Whether words right before ``start`` deny what stands there: walked from right to left."""
    before = text[max(0, start - 120) : start].lower()
    ends = _without_trail(before)
    for _ in range(5):
        if any(_ends_in_denial(before[:end]) for end in ends):
            return True
        ends = {begin for end in ends for begin in _without_word(before, end)}
    return False


def _without_trail(before: str) -> set[int]:
    ends = {len(before)}
    for end in range(len(before) - 1, max(-1, len(before) - 9), -1):
        if before[end] not in TRAIL:
            break
        ends.add(end)
    return ends


def _without_word(before: str, end: int) -> set[int]:
    begins: set[int] = set()
    begin = end
    while begin and end - begin < 20 and (is_word(before[begin - 1]) or before[begin - 1] in "'’"):
        begin -= 1
        gap = begin
        while gap and begin - gap < 4 and before[gap - 1] in " \t":
            gap -= 1
            begins.add(gap)
    return begins


def _ends_in_denial(before: str) -> bool:
    if before.endswith(("n't", "n’t")):
        return True
    for denial in DENIALS:
        if before.endswith(denial):
            rest = before[: -len(denial)]
            return not (rest and is_word(rest[-1]))
    return False


def plain_number(item: str) -> bool:
    """Whether ``item`` is a plain decimal number."""
    whole, point, part = item.removeprefix("-").partition(".")
    return _digits(whole, 4) and (_digits(part, 6) if point else True)


def _digits(text: str, most: int) -> bool:
    return 0 < len(text) <= most and all(one in "0123456789" for one in text)
