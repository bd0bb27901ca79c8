"""``grm demo``: the whole system on the embedded reference GRM, and what more samples are worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from rich.table import Table
from typer import Option

from grm_plugin.cli.demo_train import learn
from grm_plugin.cli.picture import save_accuracy
from grm_plugin.cli.program import program
from grm_plugin.cli.progress import Bar
from grm_plugin.cli.starting import start
from grm_plugin.cli.verdict import brief
from grm_plugin.config import GRMConfig
from grm_plugin.errors import ConfigError
from grm_plugin.evaluation.accuracy import best_of_accuracy
from grm_plugin.evaluation.statistics import Estimate
from grm_plugin.grm import GRM
from grm_plugin.hosts.counting import Tally
from grm_plugin.report.tally import by_reason, percent, rate
from grm_plugin.report.terminal import out, plain_table, say
from grm_plugin.running.recorder import Recorder
from grm_plugin.types import Group, Verdict

if TYPE_CHECKING:
    from grm_plugin.reference.tasks.data import TaskGroup

RESPONSES = 4
K, TRAIN_K, STEPS = 8, 4, 20
RECORD = "verdicts.jsonl"
NEEDED = {"torch": "demo", "transformers": "demo", "matplotlib": "demo"}
# twice what a judgment of four responses takes; one that rambles must not hold up its batch
MAX_TOKENS = 384
BATCH_TOKENS = 65_536  # some 128 judgments, which is fastest on a CPU


def demo(
    groups: Annotated[int, Option(min=2, help="Held-out groups to judge.")] = 120,
    k: Annotated[
        int | None,
        Option(
            "-k", "--k", min=1, help=f"Samples of the judge per group; {K}, with --train {TRAIN_K}."
        ),
    ] = None,
    folder: Annotated[Path, Option("--out", help="Folder for verdicts and picture.")] = Path(
        "out/demo"
    ),
    seed: Annotated[int, Option(help="Decides groups, shuffles and draws.")] = 0,
    train: Annotated[
        bool, Option("--train", help="Train a tiny policy on the judge with TRL instead.")
    ] = False,
    steps: Annotated[int, Option(min=2, help="Steps of --train: answer, judge, learn.")] = STEPS,
) -> None:
    """See a generative reward model at work, in minutes and without a GPU.

    The embedded reference GRM, a tiny model that knows one family of word-list tasks, judges
    groups of four responses that it has never seen. It writes principles and a critique, and boxes
    its scores; k such samples vote. The more samples vote, the more often the best response wins.

    With `--train`, a tiny policy learns from that judge with TRL's own GRPO, in under five minutes
    on two cores. The picture shows the judge's reward and the true quality, which no judge sees.
    """
    if train:
        _check_installed("grm demo --train", {**NEEDED, "trl": "trl"})
        learn(_config(k or TRAIN_K, seed), folder / "train", steps=steps)
    else:
        _check_installed("grm demo", NEEDED)
        _compare(_config(k or K, seed), groups, folder)


def _config(k: int, seed: int) -> GRMConfig:
    """The embedded judge, whatever GRM_CONFIG says."""
    engine = {"name": "reference", "batch_tokens": BATCH_TOKENS}
    settings = {"engine": engine, "k": k, "seed": seed, "max_tokens": MAX_TOKENS}
    return GRMConfig.model_validate(settings)


def _check_installed(command: str, needed: Mapping[str, str]) -> None:
    """Refuse to start without the modules ``needed``, each given with the extra that brings it."""
    missing = [name for name in needed if find_spec(name) is None]
    if missing:
        extras = ",".join(dict.fromkeys(needed[name] for name in missing))
        raise ConfigError(
            f'{command} needs {", ".join(missing)}; pip install "grm-plugin[{extras}]"'
        )


def _compare(config: GRMConfig, groups: int, folder: Path) -> None:
    asked = heldout(groups, config.seed)
    with GRM(config) as grm:
        say(f"judging {groups} groups of {RESPONSES} responses with {config.k} samples each")
        verdicts, bar = judge(grm, [_group(*one) for one in enumerate(asked)], folder / RECORD)
    points = best_of_accuracy(verdicts, grm.rule, k=config.k)
    save_accuracy(folder / "accuracy.png", points, groups=groups, chance=1 / RESPONSES)
    _tell_example(verdicts, asked)
    _tell(points, bar)
    _tell_next(folder)


def heldout(number: int, seed: int) -> list[TaskGroup]:
    """Groups of the reference tasks with words and phrasings that its training never showed."""
    from grm_plugin.reference.tasks.data import best_of_groups

    return best_of_groups(seed, "heldout", responses=RESPONSES, number=number)


def _group(number: int, asked: TaskGroup) -> Group:
    """``metadata["best"]`` is the index of the one best response."""
    return Group.of(
        asked.task.query, asked.responses, id=f"demo-{number}", metadata={"best": asked.best}
    )


def judge(grm: GRM, groups: Sequence[Group], record: Path) -> tuple[list[Verdict], Bar]:
    """The verdicts of ``groups``, recorded in a fresh file ``record``, and how it went."""
    start(grm)
    record.unlink(missing_ok=True)
    verdicts = []
    with closing(Recorder(record)) as recorder, Bar(Tally(), len(groups)) as bar:
        for verdict in grm.score_many(groups):
            recorder.write(verdict)
            bar.add(verdict)
            verdicts.append(verdict)
    return verdicts, bar


def _tell_example(verdicts: Sequence[Verdict], asked: Sequence[TaskGroup]) -> None:
    from grm_plugin.cli.demo_example import example, true_share

    shown = example(verdicts, asked)
    if shown:
        best = shown.verdict.group.metadata["best"] + 1
        out.rule(f"one verdict that is right: #{best} is the best response", align="left")
        out.print(brief(shown.verdict, shown.judgment), "", sep="\n")
        share = true_share(verdicts, asked)
        out.print(
            f"chosen because every word of it is true; so is {share:.0%} of all judgments, and the "
            "vote has to make up for the others:",
            "",
            sep="\n",
        )


def _tell(points: dict[int, Estimate], bar: Bar) -> None:
    out.rule("how often the best response wins", align="left")
    out.print(_table(points), "", sep="\n")
    tally = bar.tally
    dropped = f" ({by_reason(tally.dropped)} dropped)" if tally.dropped else ""
    out.print(f"{percent(tally.valid_rate, 1)} of {tally.samples} samples valid{dropped}")
    out.print(f"{bar.judged} groups in {bar.seconds:.0f} s, {rate(bar.judged, bar.seconds)}")


def _table(points: dict[int, Estimate]) -> Table:
    table = plain_table(">k", ">accuracy", "95 % interval", "")
    table.add_row("chance", f"{1 / RESPONSES:.1%}", "", "")
    for k, point in points.items():
        interval = f"{point.low:.1%} to {point.high:.1%}"
        table.add_row(str(k), f"{point.value:.1%}", interval, "█" * round(40 * point.value))
    return table


def _tell_next(folder: Path) -> None:
    grm = program()
    out.print(f"picture: {folder / 'accuracy.png'}")
    out.print(
        f"next:    {grm} show {folder / RECORD} --lowest 3   # why a reward is low",
        f"         {grm} show {folder / RECORD} --html {folder / 'page.html'}   # all, to look at",
        f"         {grm} doctor --engine server --url URL   # is a judge of your own ready?",
        f"         {grm} score groups.jsonl -o verdicts.jsonl --engine server --url URL",
        sep="\n",
        soft_wrap=True,
    )
