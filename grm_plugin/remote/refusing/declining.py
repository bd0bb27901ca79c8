"""Tells a filter that would not have one text from a server that takes no request of ours."""

from __future__ import annotations

import re

_FILTERED = re.compile(
    r"content[ _]management[ _]policy|content[ _]?filter|content[ _]policy|responsible ?ai ?policy"
    r"|usage polic(?:y|ies)|safety system|inappropriate content|data_?inspection_?failed"
    r"|content exists risk|\bwas flagged\b|prohibited[ _]content|prompt was blocked",
    re.IGNORECASE,
)
_WHOSE = r"(?:account|organi[sz]ation|workspace|project|subscription|api key)"
_SHUT_OUT = (
    r"(?:disabled|suspended|deactivated|terminated|banned|blocked|flagged|restricted|revoked)"
)
# what a text did once may close the account, to all texts
_ACCOUNT = re.compile(
    rf"\b{_WHOSE}\b[^.]{{0,40}}\b{_SHUT_OUT}\b|\b{_SHUT_OUT} (?:your|this) {_WHOSE}\b",
    re.IGNORECASE,
)
_STATUSES = {400, 403, 422, 451}


def declines(status: int, words: str) -> bool:
    """Whether an answer says that a filter stopped the text of this one request.

    Args:
        status: of HTTP.
        words: the server's own; a request that it quotes may hold any.

    >>> declines(400, "The prompt triggered the content management policy.")
    True
    >>> declines(403, "Your account was suspended for violating our usage policies.")
    False
    """
    if status not in _STATUSES or _ACCOUNT.search(words):
        return False
    return bool(_FILTERED.search(words))
