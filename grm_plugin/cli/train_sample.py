"""``grm train sample``: what a judge writes about labelled groups, to be learned from."""

from __future__ import annotations

import functools
import json
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from typer import Argument, Exit, Option

from grm_plugin.cli.judge import JudgeSettings, takes_judge
from grm_plugin.cli.judging import judge
from grm_plugin.cli.output import continued
from grm_plugin.cli.source import Source
from grm_plugin.cli.terminated import terminable
from grm_plugin.config import GRMConfig
from grm_plugin.errors import ConfigError
from grm_plugin.grm import GRM
from grm_plugin.hosts.columns import Columns
from grm_plugin.hosts.inputs.opening import Input
from grm_plugin.pipeline.default import with_judge
from grm_plugin.plugins import installed
from grm_plugin.prompts.control import missed
from grm_plugin.report.terminal import say
from grm_plugin.running.whole_file import writing
from grm_plugin.spct import hinting
from grm_plugin.spct.labelled import LabelledInput
from grm_plugin.spct.trajectories import CONTROL_TOKENS, SORTS, Sort, sampling
from grm_plugin.types import Cost, Scale

LOST = 3
SAMPLES = 3


@takes_judge
def sample(
    settings: JudgeSettings,
    source: Annotated[str, Argument(metavar="RM", help="RM data, as `grm train data` checks it.")],
    folder: Annotated[
        Path, Option("--out", metavar="DIR", help="Folder for files of trajectories.")
    ],
    samples: Annotated[
        int, Option("-n", "--samples", min=1, help="Trajectories of a datum without a hint.")
    ] = SAMPLES,
    hinted: Annotated[
        bool, Option(help="Besides, one trajectory of a datum whose prompt tells its label.")
    ] = True,
    single: Annotated[
        str | None,
        Option(help="Template for single responses, scored 0 or 1; for `grm` it is `grm-single`."),
    ] = None,
    limit: Annotated[int | None, Option(min=1, help="Only so many data of each sort.")] = None,
    split: Annotated[str | None, Option(help="Split of a data set that has several.")] = None,
    columns: Annotated[
        list[str] | None, Option(help="Names in RM, such as prompt=question; repeatable.")
    ] = None,
    append: Annotated[
        bool, Option("--append", help="DIR may hold trajectories of groups that are not in RM.")
    ] = False,
) -> None:
    """Sample trajectories of a judge on RM data: the first half of rejective fine-tuning.

    Each datum is judged `-n` times, each time with its responses in another order, and once more
    with a hint that tells which is best (`--no-hinted` leaves this out). The verdicts go to
    `DIR/plain.jsonl` and `DIR/hinted.jsonl`, those of single responses to `plain-singles.jsonl` and
    `hinted-singles.jsonl`; they are records as `grm score` writes them, labels included.

    All data are checked before the first token is spent, and the settings for groups and for single
    responses alike. Run the same command again, and it goes on: after a kill, out of memory, or
    with a larger `budget`, which holds for all files together.

    A datum of which one judgment was lost on the way (transport, timeout or a refusal) is sampled
    again by the same command: what it would have been decides whether the datum is too easy.

    Exit code: 0 all is sampled, 3 some judgments were lost on the way, 4 the budget is spent,
    1 an error, 130 interrupted, 143 terminated.
    """
    if "k" in settings.shortcuts:
        raise ConfigError("-k: the samples of a datum are -n here, and hinted there is one")
    groups = Input(source, split=split, columns=Columns.parse(columns or ()))
    counts = {sort: 0 for sort in SORTS if hinted or not sort.hinted}
    for _, datum in LabelledInput(groups).data():
        for sort in counts:
            counts[sort] += sort.takes(datum)
    config = _judge_of(settings)
    wanted = [sort for sort, count in counts.items() if count]
    configs = [sampling(config, sort, samples=samples, single=single) for sort in wanted]
    spent, missing = Cost(), 0
    with terminable(), ExitStack() as judges:
        drawing = [
            _checked(sort, one, LabelledInput(groups, sort.takes), limit, judges)
            for sort, one in zip(wanted, configs, strict=True)
        ]
        for one in drawing:
            cost, lost = _sample(one, folder, spent, append=append)
            spent, missing = spent + cost, missing + lost
    say(f"next: grm train reject {folder} --out {folder / 'sft.jsonl'}")
    raise Exit(LOST if missing else 0)


@dataclass(frozen=True)
class _Drawing:
    """One sort of trajectories, the judge that draws them, and its data, which are checked."""

    sort: Sort
    grm: GRM
    rows: Source


def _judge_of(settings: JudgeSettings) -> GRMConfig:
    """The judge, with what its engine prefers: its template decides that for single responses."""
    config = with_judge(settings.load())
    factory = installed().get("engine", config.engine.name)
    return config.filled(getattr(factory, "defaults", {}))


def _checked(
    sort: Sort, config: GRMConfig, rows: LabelledInput, limit: int | None, judges: ExitStack
) -> _Drawing:
    """The judge of a sort, which is not started yet, and data all of which it can be shown."""
    grm = judges.enter_context(GRM(config, plugins=[hinting]))
    if sort.single and grm.template.scale != Scale(0, 1):
        low, high = grm.template.scale
        raise ConfigError(
            f"--single: template {grm.template.name!r}: expected scores of 0 or 1, got "
            f"{low:g} to {high:g}"
        )
    return _Drawing(sort, grm, Source(rows, grm.check_group, limit))


def _sample(one: _Drawing, folder: Path, spent: Cost, *, append: bool) -> tuple[Cost, int]:
    """Draw one sort of trajectories; what it cost in all, and how many groups were lost."""
    config, path = one.grm.config, one.sort.path(folder)
    say(f"{one.sort.name} trajectories, {config.k} of each datum:")
    with one.grm as grm, closing(continued(path, config, unscored=False, each_sample=True)) as out:
        out.advice = "choose another --out"
        grm.spend(spent)
        keep = functools.partial(_keep_control_tokens, grm, folder)
        tally = judge(grm, one.rows, out, append=append, started=keep)
    return tally.cost, out.missing


def _keep_control_tokens(grm: GRM, folder: Path) -> None:
    """Keep what `grm train reject` needs to render prompts as this judge sees them."""
    if unusual := missed(getattr(grm.engine, "control_tokens", ())):
        with writing(folder / CONTROL_TOKENS) as file:
            file.write(json.dumps(unusual) + "\n")
