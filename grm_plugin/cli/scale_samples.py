"""A judge that ``grm scale`` asks once, into records."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from grm_plugin.cli.judging import judge, once_greedy
from grm_plugin.cli.output import continued
from grm_plugin.cli.relabelling import relabel
from grm_plugin.cli.scale_records import GREEDY_RECORD, RECORD, Judged, with_samples
from grm_plugin.cli.source import Source
from grm_plugin.cli.written import holds
from grm_plugin.config import GRMConfig
from grm_plugin.errors import ConfigError, InputError, quoted
from grm_plugin.evaluation.truth import label_of
from grm_plugin.grm import GRM
from grm_plugin.hosts.inputs.opening import Input
from grm_plugin.pipeline.rating import RatingOptions
from grm_plugin.records import read_verdicts
from grm_plugin.report.terminal import say
from grm_plugin.scalar import WEIGHT, ScalarOptions
from grm_plugin.types import Cost, Group, Scale


def sampled(
    config: GRMConfig,
    groups: Input,
    folder: Path,
    *,
    greedy: bool,
    limit: int | None = None,
    clusters: Sequence[str] = (),
) -> Judged:
    """Ask the judge for what ``folder`` does not hold yet, with a label for every group.

    Args:
        config: the judge, with k samples; how it stops early is not asked.
        groups: labelled ones.
        folder: gets the records.
        greedy: whether it also judges every group once at temperature 0.
        limit: only so many groups.
        clusters: names that the metadata of a group must have.

    Raises:
        InputError: a group has no label, or lacks a name to cluster by; none was judged then.
        GRMError: as ``grm score``.
    """
    check = Labelled(clusters)
    many = config.but(
        stop="fixed", select=rating(config), min_valid=None, scalar=voting_scalar(config)
    )
    say(f"{many.k} samples of each group:")
    spent, lost = _judged(many, groups, folder / RECORD, check, limit, Cost())
    found = with_samples(read_verdicts(folder / RECORD))
    if not greedy:
        return Judged(found, (), lost)
    once = once_greedy(config).but(scalar=None)
    _, more = _judged(once, groups, folder / GREEDY_RECORD, check, limit, spent)
    return Judged(found, with_samples(read_verdicts(folder / GREEDY_RECORD)), lost + more)


def rating(config: GRMConfig) -> dict[str, Any]:
    """The selector under which all vote; with a meta RM each is rated, too."""
    given = config.select.options
    if "classifier" not in given:
        return {"name": "all"}
    asked = {name: given[name] for name in RatingOptions.model_fields if name in given}
    return {"name": "rate", **asked}


def voting_scalar(config: GRMConfig) -> ScalarOptions | None:
    """The scalar RM beside a judge that is asked about every group, so that all shares can be told.

    Raises:
        ConfigError: there is no judge.
    """
    scalar = config.scalar
    if scalar and scalar.alone:
        raise ConfigError(
            "scalar: expected use: vote or cascade, got alone; curves are of a judge, and have the "
            "scalar RM alone beside it"
        )
    return scalar and scalar.model_copy(update={"use": "vote", "weight": scalar.votes_as or WEIGHT})


def _judged(
    config: GRMConfig,
    groups: Input,
    path: Path,
    check: Labelled,
    limit: int | None,
    spent: Cost,
) -> tuple[Cost, int]:
    """Judge what ``path`` lacks; the cost until now, and how many groups were lost on the way."""
    with GRM(config) as grm:
        _check_whole(grm)

        def allowed(group: Group) -> None:
            check(group)
            _check_scale(grm, group)
            grm.check_group(group)

        rows = Source(groups, allowed, limit)
        grm.spend(spent)
        with closing(continued(path, config, unscored=False)) as out:
            before = holds(path)
            spent += judge(grm, rows, out).cost
            if before:
                relabel(path, rows)
            return spent, out.missing


def _check_whole(grm: GRM) -> None:
    if (plan := grm.origin["plan"]) != "list":
        raise ConfigError(
            f"plan: expected list, which shows a group whole, got {quoted(plan)}; grm score judges "
            "by other plans, and grm_plugin.evaluation.accuracy measures its verdicts"
        )


def _check_scale(grm: GRM, group: Group) -> None:
    if len(group.responses) == 1 and grm.template.scale != Scale(0, 1):
        low, high = grm.template.scale
        raise InputError(
            "expected two or more responses, or a template that scores a single one 0 to 1, got "
            f"one response and template {grm.template.name!r}, which scores {low:g} to {high:g}"
        )


class Labelled:
    """Refuses a group that has no label, or lacks a name to cluster by."""

    def __init__(self, clusters: Sequence[str]) -> None:
        self._clusters = clusters

    def __call__(self, group: Group) -> None:
        """Raises InputError."""
        label_of(group)
        for name in self._clusters:
            if group.metadata.get(name) is None:
                known = ", ".join(sorted(map(str, group.metadata)))
                raise InputError(f"--cluster: expected a {quoted(name)}, got only {known}")
