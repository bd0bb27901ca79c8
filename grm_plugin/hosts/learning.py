"""What processes of a run learn from what all of them judge, each in the same order."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from grm_plugin.grm import GRM
from grm_plugin.hosts.recorded import of_run
from grm_plugin.types import Verdict


def begin(grm: GRM, record: Path | None, step: int | None) -> None:
    """Take a run up where its records end; from now on others tell what they judge (:func:`learn`).

    Args:
        grm: the judge of this process, before the first group.
        record: of the run; each of several processes writes beside it.
        step: training steps that are done; None when the trainer does not say.
    """
    if record:
        grm.rebuild_from(of_run(record), step)
    if grm.audits:
        grm.audits.together = True


def learns(grm: GRM) -> bool:
    """Whether a judge learns anything of what others judge."""
    return grm.watch is not None or grm.audits is not None


def learn(grm: GRM, shares: Sequence[Sequence[Verdict]], own: Collection[int]) -> None:
    """What other processes judged counts as much as what was judged here.

    Args:
        grm: the judge of this process, which watches its own verdicts already.
        shares: verdicts, each of one process.
        own: places of those of this process.

    Raises:
        AlarmError: rewards left the control judge, and ``watch.alarm`` is ``stop``; so does every
            later call of the judge.
    """
    for place, share in enumerate(shares):
        if grm.watch and place not in own:
            grm.watch.add(share)
        if grm.audits:
            grm.audits.tell(share)


def what_teaches(verdict: Verdict) -> Verdict:
    """A verdict without the texts of its judgments, of which others learn nothing."""
    judgments = tuple(
        replace(one, text="", principles=(), tokens=(), said=()) for one in verdict.judgments
    )
    return replace(verdict, judgments=judgments, failures=(), shown=None)
