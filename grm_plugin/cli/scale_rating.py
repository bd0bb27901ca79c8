"""A meta RM or a scalar RM rates what is on record, once: the judge itself is not asked again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from grm_plugin.cli.judging import judge
from grm_plugin.cli.output import continued
from grm_plugin.cli.scale_records import RATED_RECORD, Judged, with_samples
from grm_plugin.cli.scale_samples import rating, voting_scalar
from grm_plugin.cli.source import Source
from grm_plugin.config import GRMConfig
from grm_plugin.errors import InputError
from grm_plugin.grm import GRM
from grm_plugin.hosts.inputs.opening import Check
from grm_plugin.records import read_verdicts
from grm_plugin.report.terminal import say
from grm_plugin.scalar import ScalarOptions
from grm_plugin.types import Group, Verdict


def needs_rating(judged: Judged, config: GRMConfig) -> bool:
    """Whether ``config`` names a meta RM or a scalar RM, and their scores are not there yet."""
    unscored = any(one.scalar is None for one in judged.samples)
    if unscored and config.scalar and config.scalar.classifier:
        return True
    votes = (vote for verdict in judged.samples for vote in verdict.judgments)
    return "classifier" in config.select.options and any(one.meta_score is None for one in votes)


def rated(judged: Judged, files: Sequence[Path], config: GRMConfig, folder: Path) -> Judged:
    """``judged`` with meta-scores, which are kept in ``folder``; a killed run goes on.

    Args:
        judged: of ``files``.
        files: of which one holds the samples.
        config: its ``select`` says how the meta RM is asked.
        folder: gets the record of rated judgments.

    Raises:
        InputError: the samples are in several files.
        GRMError: the meta RM can not be started, or the records do not fit.
    """
    file, origin = _of_samples(files, judged), judged.origin
    replay = config.but(
        engine={"name": "replay", "path": str(file)},
        k=max(one.drawn for one in judged.samples),
        template=config.template or origin.get("template"),
        stop="fixed",
        select=rating(config),
        min_valid=None,
        permutations=None,
        scalar=_scalar(judged, config),
    )
    say(f"the judgments in {file} are rated:")
    rows = Groups(tuple(one.group for one in judged.samples), str(file))
    with (
        GRM(replay) as grm,
        closing(continued(folder / RATED_RECORD, replay, unscored=False)) as out,
    ):
        judge(grm, Source(rows, grm.check_group), out, append=True)
    asked = {(one.group.id, one.group.fingerprint) for one in judged.samples}
    found = (
        replace(one, origin=origin)
        for one in read_verdicts(folder / RATED_RECORD)
        if (one.group.id, one.group.fingerprint) in asked
    )
    return Judged(with_samples(found), judged.greedy)


def _scalar(judged: Judged, config: GRMConfig) -> ScalarOptions | None:
    """As it is set, or without a model where its scores are on record, so that they stay there."""
    if config.scalar is None and any(one.scalar for one in judged.samples):
        return ScalarOptions()
    return voting_scalar(config)


def _of_samples(files: Sequence[Path], judged: Judged) -> Path:
    group = judged.samples[0]
    holding = [file for file in files if any(_is_of(one, group) for one in read_verdicts(file))]
    if len(holding) != 1 or len(files) > 1 + bool(judged.greedy):
        raise InputError(
            f"expected the samples in one record, for the meta RM to rate them, got {len(files)} "
            "records; rate one at a time"
        )
    return holding[0]


def _is_of(one: Verdict, other: Verdict) -> bool:
    return one.group == other.group and one.origin == other.origin


@dataclass(frozen=True)
class Groups:
    """Groups at hand, as a source takes them."""

    found: tuple[Group, ...]
    label: str
    can_be_read_again: bool = True

    def groups(self, check: Check | None = None) -> Iterator[Group]:
        """The groups, each checked."""
        for group in self.found:
            if check:
                check(group)
            yield group
