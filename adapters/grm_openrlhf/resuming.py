"""Where a run that is resumed goes on: the checkpoint that OpenRLHF will load, and its records."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grm_plugin import GRMConfig
from grm_plugin.errors import quoted
from grm_plugin.hosts.earlier import BUDGET_ANEW, Earlier, told_anew
from grm_plugin.hosts.recorded import of_run

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


def before(config: GRMConfig, steps: int, engines: int) -> dict[str, Any]:
    """What rollout actors are told of the steps before a resumed run, by the name of the setting.

    The host tells them nothing, so it is read from the records of all actors; what is not on
    record is warned of, and begins anew.

    Args:
        config: of the judge.
        steps: training steps that are over; 0 where it was killed before its first checkpoint.
        engines: rollout actors, which have equal shares of the cost.

    Raises:
        RecordError: a record can not be read.
    """
    schedule = config.schedule
    metric = schedule.metric if schedule else None
    if not (config.budget or (steps and metric)):
        return {}
    found = Earlier.of(of_run(config.record) if config.record else ())
    if steps and not found.groups:
        logger.warning(told_anew(steps, _begins_anew(config)))
    seen = {"seen": found.by_step(metric, steps)} if steps and metric else {}
    return {**seen, **({"spent": found.cost.share(1 / engines)} if config.budget else {})}


def _begins_anew(config: GRMConfig) -> Iterator[str]:
    if config.schedule and config.schedule.metric:
        yield f"the schedule by {config.schedule.by} starts again with its first size"
    if config.budget:
        yield BUDGET_ANEW
