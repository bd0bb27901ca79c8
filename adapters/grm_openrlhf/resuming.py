"""Where a run that is resumed goes on, read from the checkpoint that OpenRLHF will load."""

from __future__ import annotations

import logging
import re
from pathlib import Path

from grm_plugin.errors import quoted

logger = logging.getLogger(__name__)

_TAG = re.compile(r"(?:best_)?global_step(\d{1,18})")
_LONGEST = 1000


def steps_done(checkpoints: Path) -> int:
    """Training steps behind the newest checkpoint of the policy; 0 when there is none.

    DeepSpeed loads the checkpoint that the file ``latest`` names, and all releases of OpenRLHF
    name theirs ``global_step20`` or ``best_global_step20``.

    Args:
        checkpoints: the folder that the host's option names.
    """
    latest = checkpoints / "_actor" / "latest"
    if not latest.is_file():
        return 0
    with latest.open(encoding="utf-8", errors="replace") as file:
        tag = file.read(_LONGEST).strip()
    found = _TAG.fullmatch(tag)
    if found is None:
        logger.warning(
            "%s: expected the name of a checkpoint such as global_step20, got %s; the schedule and "
            "the steps of records start at 0",
            *(latest, quoted(tag)),
        )
        return 0
    return int(found[1])
