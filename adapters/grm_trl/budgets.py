"""What a run has spent of its budget before it was stopped, or killed."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grm_plugin import GRM
from grm_plugin.hosts.earlier import BUDGET_ANEW, Earlier, told_anew
from grm_plugin.hosts.recorded import of_run
from grm_trl import host
from grm_trl.ranks import here

logger = logging.getLogger(__name__)


def spend_earlier(grm: GRM, record: Path | None, call: Mapping[str, Any]) -> None:
    """Count what a run cost before against its budget, from the records of all its ranks.

    Each rank counts an equal share, however many there were before. A run that begins at step 0
    may have been killed before its first checkpoint, so what is on its record counts, too.

    Args:
        grm: the judge of this rank, before its first group.
        record: of the run, as its settings name it; ranks add their number.
        call: keywords of the first reward call; a run that begins is at step 0.

    Raises:
        RecordError: a record can not be read.
    """
    if grm.config.budget is None:
        return
    step, records = host.step_of(call) or 0, of_run(record) if record else []
    found = Earlier.of(records)
    if found.groups:
        grm.spend(found.cost.share(1 / here()[1]))
        if not step:
            logger.warning(_BEGINS, record)
    elif step:
        logger.warning(told_anew(step, [BUDGET_ANEW]))


_BEGINS = (
    "budget: what stands in %s counts against it, as of a run that was killed before its first "
    "checkpoint; another run needs a record of its own"
)
