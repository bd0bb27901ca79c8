"""What ranks learn from what all of them judge, every rank the same and in the same order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from grm_plugin import GRM, Verdict
from grm_plugin.hosts.recorded import of_run
from grm_trl.options import TRLOptions


def begin(grm: GRM, options: TRLOptions, record: Path | None, step: int | None) -> None:
    """Take a run up where its records end; with ``groups: local`` a rank knows its own alone.

    Args:
        grm: the judge of this rank, before the first group.
        options: of the adapter.
        record: of the run; each of several ranks writes beside it.
        step: training steps that are done; None when the trainer does not say.
    """
    if options.groups == "local":
        return
    if record:
        grm.rebuild_from(of_run(record), step)
    if grm.audits:
        grm.audits.together = True


def learn(grm: GRM, shares: Sequence[Sequence[Verdict]], own: int) -> None:
    """What other ranks judged counts as much as what was judged here.

    Args:
        grm: the judge of this rank, which watches its own verdicts already.
        shares: verdicts by rank.
        own: this rank.
    """
    for rank, share in enumerate(shares):
        if grm.watch and rank != own:
            grm.watch.add(share)
        if grm.audits:
            grm.audits.tell(share)
