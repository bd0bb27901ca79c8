"""Fields of a request that undo what a checkpoint's own settings would do to the sampling."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from typing import Any

from grm_plugin.errors import quoted
from grm_plugin.remote.refusals import Refused

logger = logging.getLogger(__name__)

NEUTRAL: Mapping[str, Any] = {"top_k": -1, "min_p": 0.0, "repetition_penalty": 1.0}
"""Servers fill these from the checkpoint's ``generation_config.json`` where a request is silent."""


class NeutralFields:
    """The fields of :data:`NEUTRAL` that a server takes; those it refuses are left out later.

    Args:
        given: names that the user sets; they are never touched.
    """

    def __init__(self, given: Iterable[str] = ()) -> None:
        taken = set(given)
        self.values = {name: value for name, value in NEUTRAL.items() if name not in taken}

    def leave_out(self, sent: Iterable[str], refusal: Refused) -> bool:
        """Leave out what ``refusal`` names; whether one of the fields that were ``sent`` was it."""
        named = [name for name in sent if re.search(rf"\b{name}\b", refusal.said)]
        for name in named:
            if self.values.pop(name, None) is not None:
                logger.info(
                    "the judge server takes no %s (%s); what it uses instead may come from the "
                    "checkpoint's generation_config.json",
                    *(name, quoted(refusal.said)),
                )
        return bool(named)
