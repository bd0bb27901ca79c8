"""What of a request a server's refusal is about, as far as its words tell."""

from __future__ import annotations

import re

_READ = 600  # characters of what a server says; further on it may quote the request
_QUOTED_REQUEST = re.compile(r"[{\[].{0,200}?['\"](?:role|messages)['\"]", re.DOTALL)
_FAULT = (
    r"(?i:unsupported|unrecognized|unknown|unexpected|invalid|not support|not permitted"
    r"|not allowed|must be|should be|cannot|at most|at least|extra)"
)
_N = re.compile(
    r"""['"`]n['"`]|\bn ?(?:must|should|has to|is\b|not\b|>|=|\d|parameter)"""
    r"|(?:parameter|argument|field|value)[^\n]{0,20}:? n\b"
    r"|(?:one|single) (?:completion |generated )?(?:choice|completion|sample|generation)\b"
    r"|(?:multiple|several) (?:completion )?(?:choice|completion|sample|generation)s",
    re.IGNORECASE,
)
_MAX_TOKENS = re.compile(
    r"(?:unsupported|unrecognized|unknown|unexpected|extra|not supported|not permitted)"
    r".{0,60}max_tokens|max_tokens.{0,40}(?:not supported|not permitted|unsupported|extra)"
    r"|max_completion_tokens",
    re.IGNORECASE | re.DOTALL,
)
_SYSTEM = re.compile(
    r"system.{0,40}(?:not (?:be )?(?:supported|allowed)|unsupported)|roles must alternate"
    r"|only (?:support )?user(?:,| and) assistant|developer instruction is not enabled",
    re.IGNORECASE,
)
_TEMPLATE = re.compile(
    r"no(?:t have a)? chat[ _]template|chat[ _]template is (?:no longer allowed|not set)"
    r"|must provide a chat template",
    re.IGNORECASE,
)


def own_words(said: str) -> str:
    """What a server says before it quotes the request, if it does."""
    quoted = _QUOTED_REQUEST.search(said)
    return said[: min(_READ, quoted.start() if quoted else _READ)]


def mentioned(name: str, said: str) -> int | None:
    """Where ``said`` names a field; None if it does not."""
    pattern = _N if name == "n" else re.compile(rf"\b{re.escape(name)}\b")
    found = pattern.search(said)
    return found.start() if found else None


def blames(name: str, said: str) -> bool:
    """Whether the server says that something is wrong with the field of that name.

    >>> blames("top_p", "Unsupported parameter: 'top_p'"), blames("top_p", "What is top_p?")
    (True, False)
    """
    word = rf"\b{re.escape(name)}\b"
    about = rf"{_FAULT}.{{0,40}}{word}|{word}['\"`:]{{0,3}} .{{0,40}}{_FAULT}"
    return bool(re.search(about, own_words(said), re.DOTALL))


def blames_max_tokens(said: str) -> bool:
    """Whether the name ``max_tokens`` is unknown, or another one is offered."""
    return bool(_MAX_TOKENS.search(said))


def blames_system_turn(said: str) -> bool:
    """Whether the server's chat template takes no system turn."""
    return bool(_SYSTEM.search(own_words(said)))


def blames_no_template(said: str) -> bool:
    """Whether the server has no chat template at all."""
    return bool(_TEMPLATE.search(own_words(said)))
