"""Tells a filter that would not have one text from a server that takes no request of ours."""

from __future__ import annotations

import re

_FILTERED = re.compile(
    r"content[ _]management[ _]policy|content[ _]?filter|content[ _]policy|responsible ?ai ?policy"
    r"|usage polic(?:y|ies)|safety system|inappropriate content|data_?inspection_?failed"
    r"|content exists risk|\bwas flagged\b|prohibited[ _]content|prompt was blocked",
    re.IGNORECASE,
)
_STATUSES = {400, 403, 422, 451}
_READ = 4000  # characters; what a server says of a filter stands before a body that it quotes


def declines(status: int, said: str) -> bool:
    """Whether an answer says that a filter stopped the text of this one request.

    Args:
        status: of HTTP.
        said: what the server said.

    >>> declines(400, "The prompt triggered the content management policy.")
    True
    """
    return status in _STATUSES and bool(_FILTERED.search(said[:_READ]))
