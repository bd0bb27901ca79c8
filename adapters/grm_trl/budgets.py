"""What a run that is resumed has spent of its budget before."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from grm_plugin import GRM
from grm_plugin.hosts.earlier import BUDGET_ANEW, Earlier, told_anew
from grm_trl import host

logger = logging.getLogger(__name__)


def spend_earlier(grm: GRM, call: Mapping[str, Any]) -> None:
    """Count what a run cost before it was resumed against its budget, from its own record.

    Args:
        grm: the judge of this rank, before its first group.
        call: keywords of the first reward call; a run that begins is at step 0.

    Raises:
        RecordError: the record can not be read.
    """
    record = grm.config.record
    step = host.step_of(call)
    if grm.config.budget is None or not step:
        return
    if record and record.exists():
        grm.spend(Earlier.of([record]).cost)
        return
    logger.warning(told_anew(step, [BUDGET_ANEW]))
