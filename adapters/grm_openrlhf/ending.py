"""The run's ledger in a Ray actor, and what the launcher says when the run is over."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import ray

from grm_openrlhf.errors import UnscoredError
from grm_openrlhf.ledger import Ended, Ledger, RoundId, Share, Totals, means
from grm_plugin.hosts.counting import Tally
from grm_plugin.types import Verdict

logger = logging.getLogger(__name__)

NAME = "grm-ledger"
LOUD = 0.1  # share of training groups without a reward above which a run must not look well
_PATIENCE_S = 30.0
_RULE = "=" * 78


class LedgerActor(Ledger):
    """The ledger in a process of its own."""

    def __init__(self, groups_per_step: int, first_step: int) -> None:
        logging.basicConfig(level=logging.INFO, format="%(message)s")
        super().__init__(groups_per_step, first_step)


class RemoteLedger:
    """The ledger of the run that this rollout actor belongs to.

    Raises:
        ValueError: the launcher keeps none.
    """

    def __init__(self) -> None:
        self._actor = ray.get_actor(NAME)

    async def begin(self, round_id: RoundId) -> None:
        """See :meth:`Ledger.begin`."""
        with suppress(ray.exceptions.RayError):  # told when the round ends
            await self._actor.begin.remote(round_id)

    async def end(
        self, round_id: RoundId, tally: Tally, verdicts: tuple[Verdict, ...] = ()
    ) -> Ended:
        """See :meth:`Ledger.end`; without a ledger, what is known here."""
        try:
            found: Ended = await self._actor.end.remote(round_id, tally, verdicts)
        except ray.exceptions.RayError as error:  # a count is no reason to end the training
            logger.warning("groups without a reward are not counted any more: %s", error)
            return Ended(means(tally), _own(Share(round_id.actor, verdicts)))
        return found

    async def share(self, share: Share) -> tuple[Share, ...]:
        """See :meth:`Ledger.share`; without a ledger it is heard here alone."""
        try:
            found: tuple[Share, ...] = await self._actor.share.remote(share)
        except ray.exceptions.RayError as error:
            logger.warning("what other rollout actors judge is not known any more: %s", error)
            return _own(share)
        return found

    async def number(self, actor: str) -> int | None:
        """See :meth:`Ledger.number`; None without a ledger."""
        try:
            found: int = await self._actor.number.remote(actor)
        except ray.exceptions.RayError:
            return None
        return found

    async def first(self, what: str, said: str) -> str:
        """See :meth:`Ledger.first`; without a ledger nobody said anything else."""
        try:
            found: str = await self._actor.first.remote(what, said)
        except ray.exceptions.RayError:
            return said
        return found


def _own(share: Share) -> tuple[Share, ...]:
    return (share,) if share.verdicts else ()


@contextmanager
def counted(groups_per_step: int, first_step: int, limit: float | None) -> Iterator[None]:
    """Keep a ledger inside the context, and say at its end how many groups had no reward.

    Args:
        groups_per_step: training groups of a step, over all actors.
        first_step: training steps that were over before.
        limit: largest share of training groups without a reward with which the run is a success;
            None leaves its exit status to the host.

    Raises:
        UnscoredError: the run went well otherwise, and the share is above ``limit``.
    """
    # far more calls at a time than rollout actors make
    made = ray.remote(LedgerActor).options(name=NAME, num_cpus=0, max_concurrency=1000)
    actor = made.remote(groups_per_step, first_step)
    try:
        yield
    except BaseException:
        _tell(_totals(actor))
        raise
    totals = _totals(actor)
    _tell(totals)
    if totals and limit is not None and share(totals.training) > limit:
        raise UnscoredError(
            f"{_counted(totals.training)}, more than the {limit:.1%} of "
            "adapters.openrlhf.unscored_limit; the policy was saved all the same"
        )


def share(tally: Tally) -> float:
    """Share of groups without a reward, in 0..1; 0 when there were none."""
    return tally.unscored.total() / tally.groups if tally.groups else 0.0


def end_of_run(totals: Totals) -> str:
    """What a run has to say of itself when it is over."""
    told = _counted(totals.training)
    if share(totals.training) > LOUD:
        told = (
            f"\n{_RULE}\nERROR: {told}.\nThe policy learned from the other "
            f"{totals.training.scored} alone. Why is in the lines that say `has no reward`,\n"
            f"and in the verdicts of `record`.\n{_RULE}"
        )
    return "\n".join(filter(None, [totals.evaluation, told]))


def _counted(tally: Tally) -> str:
    return f"{tally.unscored.total()} of {tally.groups} groups had no reward ({share(tally):.1%})"


def _totals(actor: Any) -> Totals | None:
    try:
        found: Totals = ray.get(actor.close.remote(), timeout=_PATIENCE_S)
    except Exception as error:  # also when the host has left Ray: the run's own end is what counts
        logger.warning("how many groups had no reward is not known: %s", error)
        return None
    return found


def _tell(totals: Totals | None) -> None:
    if totals and (totals.training.groups or totals.evaluation):
        sys.stderr.write(f"grm-plugin: {end_of_run(totals)}\n")
