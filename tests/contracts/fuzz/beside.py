"""Oracles for what stands beside a box: quotation marks, and scores that are named."""

from __future__ import annotations

from tests.contracts.fuzz.scanning import is_word


def is_quoted(text: str, box: tuple[int, str]) -> bool:
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


def number_first(line: str) -> float | None:
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
    return number_named(" " * at + line[at:], at)


def _over(text: str, at: int, over: str, most: int) -> int:
    end = at
    while end < len(text) and end - at < most and text[end] in over:
        end += 1
    return end


def number_named(text: str, at: int) -> float | None:
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
