"""The oracle for thinking: marks found one character after another."""

from __future__ import annotations

from tests.contracts.fuzz.scanning import is_word, skip

TAGS = (("think", "thinking"), ("thought", "thoughts"), ("reasoning",), ("seed:think",))
PAIRS = (
    ("[think]", "[/think]"),
    ("◁think▷", "◁/think▷"),
    ("<|start_thinking|>", "<|end_thinking|>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|channel>thought", "<channel|>"),
)
HARMONY, STRIPPED = 9, 10
QUOTES = "`\"'“”‘’«»"
Mark = tuple[int, bool, int]  # the family, whether it opens, where it ends


def mark_at(text: str, low: str, at: int) -> Mark | None:
    """The mark that begins at ``at``; ``low`` is the text in small letters."""
    if text[at] not in "<[◁":
        return None
    for family, (opens, closes) in enumerate(PAIRS, len(TAGS)):
        for mark, is_open in ((opens, True), (closes, False)):
            if low.startswith(mark, at):
                return family, is_open, at + len(mark)
    return _tag(low, at) or _harmony(low, at)


def _tag(low: str, at: int) -> Mark | None:
    if low[at] != "<":
        return None
    is_open = not low.startswith("</", at)
    begin = at + (1 if is_open else 2)
    for family, names in enumerate(TAGS):
        for name in names:
            if low.startswith(name, begin):
                end = begin + len(name)
                gap = skip(low, end)
                if gap - end <= 8 and low.startswith(">", gap):
                    return family, is_open, gap + 1
    return None


def _harmony(low: str, at: int) -> Mark | None:
    begin = at + len("<|end|>") * low.startswith("<|end|>", at)
    ended = begin > at
    begin += len("<|start|>assistant") * low.startswith("<|start|>assistant", begin)
    if not low.startswith("<|channel|>", begin):
        return None
    begin += len("<|channel|>")
    for name in ("analysis", "commentary"):
        if not ended and low.startswith(name, begin):
            return HARMONY, True, begin + len(name)
    return _final(low, begin)


def _final(low: str, begin: int) -> Mark | None:
    if not low.startswith("final", begin):
        return None
    end = begin = begin + len("final")
    while end < len(low) and low[end] not in "<>":
        end += 1
    if end - begin > 40:
        return None
    if low.startswith("<|constrain|>", end):
        word = end = end + len("<|constrain|>")
        while end < len(low) and is_word(low[end]):
            end += 1
        if not 1 <= end - word <= 20:
            return None
    ending = "<|message|>"
    return (HARMONY, False, end + len(ending)) if low.startswith(ending, end) else None


def marks(text: str) -> list[tuple[int, Mark]]:
    """All marks from left to right."""
    low, found, at = text.lower(), [], 0
    while at < len(text):
        mark = mark_at(text, low, at)
        if mark:
            found.append((at, mark))
        at += 1
    return found


def closes(text: str, start: int, families: set[int]) -> list[tuple[int, int]]:
    """The closing marks of ``families`` from ``start`` on that are not quoted, none in another."""
    found, last = [], start
    for at, (family, is_open, end) in marks(text):
        if is_open or family not in families or at < last:
            continue
        last = end
        quoted = at > 0 and text[at - 1] in QUOTES and end < len(text) and text[end] in QUOTES
        if not quoted:
            found.append((at, end))
    return found


ANY = set(range(HARMONY + 1))


def answer_start(text: str, *, opened: bool) -> int | None:
    """Where the answer begins; None when there is none."""
    at = 0
    first = next(iter(closes(text, 0, ANY)), None)
    if opened and first is None:
        return None
    if first is not None:
        opens_before = any(m[1] and m[2] <= first[0] for _, m in marks(text))
        if opened or not opens_before:
            at = first[1]
    return blocks_end(text, at)


def blocks_end(text: str, at: int) -> int | None:
    """Where the blocks that follow each other are over."""
    while True:
        begin = skip(text, at)
        if begin >= len(text):
            return at
        mark = mark_at(text, text.lower(), begin)
        if mark and mark[1]:
            ends = closes(text, mark[2], {mark[0]})
            if not ends:
                return None
            at = ends[0][1]
        elif text.startswith("analysis", begin):
            final = _stripped_final(text, begin + len("analysis"))
            if final < 0:
                after = text[begin + len("analysis") :][:1]
                shouts = after.isalnum() and not after.isdecimal() and after not in SMALL
                return None if shouts else at
            at = final
        else:
            return at


SMALL = "abcdefghijklmnopqrstuvwxyz"


def _stripped_final(text: str, start: int) -> int:
    word = "assistantfinal"
    at = text.find(word, start)
    while at >= 0:
        end = at + len(word)
        if not (at and text[at - 1] in QUOTES and end < len(text) and text[end] in QUOTES):
            return end
        at = text.find(word, end)
    return -1


def answer(text: str, *, opened: bool = False) -> str:
    """The text without the thinking before it."""
    start = answer_start(text, opened=opened)
    return "" if start is None else text[start:]


def final_answer(text: str, *, opened: bool = False) -> str:
    """What follows the last closing mark."""
    rest = answer(text, opened=opened)
    ends = closes(rest, 0, ANY)
    end = blocks_end(rest, ends[-1][1] if ends else 0)
    return "" if end is None else rest[end:]
