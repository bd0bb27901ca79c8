"""One judge of many: what runs in each replica on a Ray cluster."""

from __future__ import annotations

import asyncio
import logging
import os

from grm_plugin.config import GRMConfig
from grm_plugin.errors import (
    AlarmError,
    BudgetError,
    JudgeDeadError,
    JudgeRefusedError,
    on_one_line,
)
from grm_plugin.grm import GRM
from grm_plugin.size import Size
from grm_plugin.types import Group, Verdict

logger = logging.getLogger(__name__)


class Replica:
    """One judge; Ray Serve makes as many as are wanted.

    One whose judge is dead ends itself: by failing fast it would draw all groups to it. Its groups
    go to others then, and Ray starts another one in its place.

    Args:
        config: of the judge.

    Raises:
        GRMError: it can not be started; the deployment fails with this message.
    """

    def __init__(self, config: GRMConfig) -> None:
        self._grm = GRM(config)
        self._grm.start()

    async def score(self, group: Group, size: Size | None) -> Verdict:
        """As :meth:`GRM.score_batch_async`, of one group."""
        try:
            (verdict,) = await self._grm.score_batch_async([group], size=size)
        except (JudgeRefusedError, BudgetError, AlarmError):  # of no use to anybody, in any replica
            raise
        except JudgeDeadError as error:
            await asyncio.to_thread(self._end, error)
            raise
        return verdict

    def _end(self, why: JudgeDeadError) -> None:
        try:
            logger.error("this replica ends, and another one starts: %s", on_one_line(str(why)))
            self._grm.close()
        finally:
            os._exit(1)  # whoever waits for it is told by Ray, and goes to another one

    async def check(self) -> None:
        """As :meth:`GRM.check_async`."""
        await self._grm.check_async()

    def __del__(self) -> None:  # how Ray Serve says that it is over
        self._grm.close()
