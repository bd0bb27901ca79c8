"""Oracles for answers in a place: boxes, sections, tags."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.contracts.fuzz.scanning import (
    Refused,
    all_words,
    find_words,
    has_frame,
    is_denied,
    is_word,
    plain_number,
    skip,
    words_at,
)

Found = tuple[int, str]  # where the mark begins, and what stands in the place
Scores = tuple[float, ...]


@dataclass(frozen=True)
class Rules:
    """What a contract was told: its menu, whether it is a verdict on a pair, the scale."""

    values: dict[str, float]
    verdict: bool
    low: float
    high: float
    blanks: bool = False


def items(content: str, rules: Rules) -> list[str]:
    """What ``content`` is made of."""
    content = content.strip()
    if rules.verdict or content in rules.values:
        return [content]
    if not rules.blanks or rules.values:
        return [item.strip() for item in content.split(",")]
    parts, part, at = [], "", 0
    while at < len(content):
        if content[at] == "," or content[at].isspace():
            gap = skip(content, at)
            at = skip(content, gap + 1) if gap < len(content) and content[gap] == "," else gap
            parts, part = [*parts, part], ""
        else:
            part, at = part + content[at], at + 1
    return [*parts, part]


def known(item: str, rules: Rules) -> bool:
    """Whether ``item`` is on the menu."""
    return item in rules.values if rules.values else plain_number(item)


def same(one: list[str], other: list[str], rules: Rules) -> bool:
    """Whether two answers say the same."""
    return len(one) == len(other) and all(
        a == b
        or (not rules.values and plain_number(a) and plain_number(b) and float(a) == float(b))
        for a, b in zip(one, other, strict=True)
    )


def settled(found: Sequence[Found], text: str, rules: Rules) -> list[str]:
    """What all places say, or a refusal."""
    last = items(found[-1][1], rules)
    for start, content in found:
        if is_denied(text, start) or not same(items(content, rules), last, rules):
            raise Refused("unreadable")
    return last


def scored(parts: list[str], n: int, rules: Rules) -> Scores:
    """The scores for what was read."""
    if not all(known(part, rules) for part in parts):
        raise Refused("unreadable")
    numbers = [rules.values[part] if rules.values else float(part) for part in parts]
    if rules.verdict:
        if n != 2 or len(numbers) != 1:
            raise Refused("wrong_count")
        most = max(abs(value) for value in rules.values.values())
        share = (numbers[0] / most + 1) / 2
        width = rules.high - rules.low
        return (rules.low + width * share, rules.low + width * (1 - share))
    if len(numbers) != n:
        raise Refused("wrong_count")
    if any(number < rules.low or number > rules.high for number in numbers):
        raise Refused("out_of_range")
    return tuple(numbers)


def placed(
    finds: Sequence[Callable[[str], list[Found]]],
    rules: Rules,
    check: Callable[[str, int, Found], None] | None = None,
) -> Callable[..., Scores]:
    """The oracle for a text with places."""

    def read(text: str, n: int) -> Scores:
        if has_frame(text):
            raise Refused("unreadable")
        parts = [part for find in finds for part in settled(find(text), text, rules)]
        if check:
            check(text, n, finds[-1](text)[-1])
        return scored(parts, n, rules)

    return read


def boxes(text: str, rules: Rules, *, needed: bool = True) -> list[Found]:
    """The boxes of ``text``, one state after another."""
    found: list[Found] = []
    at = text.find("\\boxed")
    while at >= 0:
        brace = skip(text, at + 6)
        opened = text.startswith("{", brace)
        end = brace + 1
        while opened and end < len(text) and text[end] not in "{}":
            end += 1
        closed = opened and text.startswith("}", end)
        content = text[brace + 1 : end]
        if found or not _repeats(content, rules, opened=opened, closed=closed):
            if not closed:
                raise Refused("unreadable")
            found.append((at, content))
        at = text.find("\\boxed", end if opened else at + 6)
    if needed and not found:
        raise Refused("unreadable")
    if needed and all(_is_quoted(text, one) for one in found):
        raise Refused("unreadable")
    return found


def _is_quoted(text: str, box: Found) -> bool:
    """Whether the line of a box begins with ">", or quotation marks stand open around it."""
    at, content = box
    end = text.index("{", at) + 1 + len(content)
    before = text[:at].split("\n")[-1]
    after = text[end:].split("\n")[0]
    if before.lstrip(" \t").startswith(">"):
        return True
    for opens, closes in ('""', "“”", "„“", "«»"):
        is_open = False
        for one in before:
            if opens == closes and one == opens:
                is_open = not is_open
            elif one in (opens, closes):
                is_open = one == opens
        if is_open and closes in after:
            return True
    return False


def other_scores(rules: Rules) -> Callable[[str, int, Found], None]:
    """Refuses a score named after a box that is not in it; before it for one response."""

    def check(text: str, n: int, last: Found) -> None:
        start, content = last
        if rules.values:
            return
        boxed = [float(item) for item in items(content, rules) if plain_number(item)]
        end = text.index("{", start) + len(content) + 1
        named = [_number_named(text, at) for at in range(end, len(text))]
        before = text[:start]
        for line in before.split("\n") if n == 1 else ():
            named.append(_number_first(line))
        if any(number is not None and number not in boxed for number in named):
            raise Refused("unreadable")

    return check


def _number_first(line: str) -> float | None:
    """The score that is named at the start of a line."""
    at = _over(line, 0, " \t", 8)
    marked = _over(line, at, "#", 6)
    if marked > at:
        at = _over(line, marked, " ", 4)
    at = _over(line, at, "*_", 3)
    for word in ("final ", "overall ", "total "):
        if line.lower().startswith(word, at):
            at += len(word)
            break
    return _number_named(" " * at + line[at:], at)


def _over(text: str, at: int, over: str, most: int) -> int:
    end = at
    while end < len(text) and end - at < most and text[end] in over:
        end += 1
    return end


def _number_named(text: str, at: int) -> float | None:
    text = text.lower() if text[at : at + 1] in tuple("sSrR") else ""
    name = next((name for name in ("score", "rating") if text.startswith(name, at)), None)
    if name is None or (at and is_word(text[at - 1])):
        return None
    at += len(name)
    at += text.startswith("s", at)
    at = _over_blanks(text, at, "*_", 4)
    if text.startswith("is", at) and not (at + 2 < len(text) and is_word(text[at + 2])):
        at += 2
    elif at < len(text) and text[at] in ":=：":
        at += 1
    else:
        return None
    at = _over_blanks(text, at, "*_$`([", 8)
    sign = "-" if text.startswith("-", at) else ""
    at += len(sign)
    whole = _digits(text, at, 4)
    if not whole:
        return None
    point = at + len(whole)
    part = _digits(text, point + 1, 6) if text.startswith(".", point) else ""
    return float(f"{sign}{whole}.{part or 0}")


def _over_blanks(text: str, at: int, over: str, most: int) -> int:
    end = at
    while end < len(text) and end - at < most and (text[end].isspace() or text[end] in over):
        end += 1
    return end


def _digits(text: str, at: int, most: int) -> str:
    end = at
    while end < len(text) and end - at < most and text[end] in "0123456789":
        end += 1
    return text[at:end]


def _repeats(content: str, rules: Rules, *, opened: bool, closed: bool) -> bool:
    if not opened:
        return True
    if not closed or all(known(item, rules) for item in items(content, rules)):
        return False
    return all(_placeholder(item.strip()) for item in content.split(","))


def _placeholder(item: str) -> bool:
    if item in ("...", "…", "\\ldots", "\\dots"):
        return True
    if not item or not (item[0].isascii() and item[0].isalpha()):
        return False
    return len(item) == 1 or (len(item) == 3 and item[1] == "_" and is_word(item[2]))


def sections(
    opens: str, closes: str, rules: Rules, *, box: bool, stops: bool
) -> Callable[[str], list[Found]]:
    """Finds answers in sections."""

    def find(text: str) -> list[Found]:
        marks = [(start, end, True) for start, end in all_words(text, opens.split())]
        marks += [(start, end, False) for start, end in all_words(text, closes.split())]
        found: list[list[Found]] = []
        begin: int | None = None
        start = last = 0
        for at, end, is_open in [*sorted(marks), (len(text), len(text), False)]:
            is_end = at == end
            if is_end and (begin is None or not stops):
                if begin is not None:
                    raise Refused("unreadable")
                break
            if is_open == (begin is not None):
                raise Refused("unreadable")
            if is_open:
                start, begin = at, end
            else:
                content = text[begin:at]
                found.append(_inside(content, start, begin or 0, rules, box=box))
                begin, last = None, at
        if not found or not found[-1]:
            raise Refused("unreadable")
        after = _after(text, last, rules) if box else []
        return after + [one for section in found for one in section]

    return find


def _after(text: str, start: int, rules: Rules) -> list[Found]:
    """The boxes after the last section that are in no section of another name."""
    found: list[Found] = []
    piece, inside = start, False
    for at in range(start, len(text)):
        if (end := _any_mark(text, at, "Begin")) >= 0:
            if not inside:
                found += _inside(text[piece:at], piece, piece, rules, box=True)
                piece, inside = at, True
        elif (end := _any_mark(text, at, "End")) >= 0:
            piece, inside = end, False
    return found + _inside(text[piece:], piece, piece, rules, box=True)


def _any_mark(text: str, at: int, kind: str) -> int:
    """Where the mark of any section that begins at ``at`` ends; -1 when none does."""
    words = words_at(text, at, ["[The", kind, "of"])
    name = skip(text, words) if words >= 0 else -1
    end = name
    while 0 <= end < len(text) and text[end] not in "[]<>":
        end += 1
    gap = name - words
    if words < 0 or gap < 1 or not text.startswith("]", end) or end - name > 60:
        return -1
    return end + 1 if end > name or gap > 1 else -1


def _inside(content: str, start: int, begin: int, rules: Rules, *, box: bool) -> list[Found]:
    if not box:
        return [(start, content)]
    return [(begin + at, inner) for at, inner in boxes(content, rules, needed=False)]


def tags(opens: str, closes: str, *, stops: bool = False) -> Callable[[str], list[Found]]:
    """Finds answers behind a mark."""

    def find(text: str) -> list[Found]:
        found: list[Found] = []
        end = 0
        while mark := _whole(text, opens, end):
            start, begin = mark
            if closes:
                close = find_words(text, closes.split(), begin)
                if close is None and not stops:
                    raise Refused("unreadable")
                end = close[0] if close else len(text)
                found.append((start, text[begin:end]))
            else:
                begin = skip(text, begin)
                line = text[begin:].split("\n")[0]
                bare = line.strip(" \t\r*_`")
                while bare and bare[-1] in " \t\r*_`.!":
                    bare = bare[:-1]
                end = begin + line.find(bare) + len(bare)
                found.append((start, bare))
        if not found:
            raise Refused("unreadable")
        return found

    return find


def _whole(text: str, opens: str, start: int) -> tuple[int, int] | None:
    """The next ``opens`` that is no part of a longer word."""
    while found := find_words(text, opens.split(), start):
        at, end = found
        before = at > 0 and is_word(text[at - 1]) and is_word(text[at])
        after = end < len(text) and is_word(text[end]) and is_word(text[end - 1])
        if not before and not after:
            return found
        start = at + 1
    return None
