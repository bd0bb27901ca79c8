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
    """The fields of :data:`NEUTRAL` that a server takes; those it refuses are left out for good.

    Args:
        given: names that the user sets; they are never touched.
    """

    def __init__(self, given: Iterable[str] = ()) -> None:
        taken = set(given)
        self.values = {name: value for name, value in NEUTRAL.items() if name not in taken}

    @staticmethod
    def refused(sent: Iterable[str], refusal: Refused) -> str:
        """The field of ``sent`` that ``refusal`` mentions first, if it does.

        It may be another thing that the server refuses: servers quote the body, prompt and all. So
        nothing is left out for good before a request without the field was answered.
        """
        places = {name: re.search(rf"\b{name}\b", refusal.said) for name in sent}
        found = {name: place.start() for name, place in places.items() if place}
        return min(found, key=found.__getitem__, default="")

    def leave_out(self, refused: Mapping[str, str]) -> None:
        """Leave fields out from now on.

        Args:
            refused: what the server said of each, where the same request without it was answered.
        """
        for name, said in refused.items():
            if self.values.pop(name, None) is not None:
                logger.warning(
                    "the judge server takes no %s (%s); what it uses instead may come from the "
                    "checkpoint's generation_config.json",
                    *(name, quoted(said)),
                )
