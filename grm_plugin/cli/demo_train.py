"""``grm demo --train``: a policy learns from the embedded judge while people watch."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Group as Lines
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from grm_plugin.cli.demo_steps import EDGE, Step, edges
from grm_plugin.cli.picture import save_learning
from grm_plugin.cli.program import program
from grm_plugin.cli.progress import Meter
from grm_plugin.config import GRMConfig
from grm_plugin.evaluation.statistics import bootstrap
from grm_plugin.report.terminal import err, out, plain_table, printable, say

if TYPE_CHECKING:
    from grm_plugin.reference.policy.sampling import Answer

TASKS = 200
"""Fresh queries to ask before and after."""


def learn(judge: GRMConfig, folder: Path, *, steps: int) -> None:
    """Train the embedded policy on ``judge``, and show what it learned.

    Args:
        judge: settings of the judge; its seed decides the run's prompts and draws, too.
        folder: gets the trained policy, every verdict and the picture; what is there is replaced.
        steps: rounds of answering, judging and learning.
    """
    with err.status("loading TRL and asking the starting policy"):
        from grm_plugin.cli import demo_grpo as grpo

        before = grpo.answered(None, tasks=TASKS)
    say(
        f"training a tiny policy with TRL's GRPO: {steps} steps of {grpo.PROMPTS_A_STEP} prompts "
        f"x {grpo.RESPONSES} responses; the reward is the embedded judge, k = {judge.k}"
    )
    record, policy = folder / "verdicts.jsonl", folder / "policy"
    record.unlink(missing_ok=True)
    settings = judge.but(record=record)
    with _drawn(folder / "learning.png", steps) as curve, _meter(steps, curve) as seen:
        grpo.train(settings, policy, steps=steps, seed=judge.seed, seen=seen)
    with err.status("asking the trained policy"):
        after = grpo.answered(policy, tasks=TASKS)
    _tell(before, after, curve)
    _tell_next(folder)


@contextmanager
def _drawn(picture: Path, total: int) -> Iterator[list[Step]]:
    """A curve to add steps to; it is drawn in the end, also when Ctrl-C or an error ends it."""
    curve: list[Step] = []
    try:
        yield curve
    except BaseException:
        if curve:
            save_learning(picture, curve)
            say(
                f"stopped after step {len(curve)} of {total}; its picture, policy and verdicts "
                f"are kept in {picture.parent}"
            )
        raise
    save_learning(picture, curve)


@contextmanager
def _meter(steps: int, curve: list[Step]) -> Iterator[Callable[[Step], None]]:
    """What to call after every step."""
    with Meter(steps, "steps", state="starting the judge") as meter:

        def seen(step: Step) -> None:
            curve.append(step)
            meter.show(
                step.number,
                f"judge reward {step.judge_reward:.2f}, true quality {step.true_quality:.2f}",
            )

        yield seen
    say(f"{len(curve)} steps in {meter.seconds:.0f} s")


def _tell(before: Sequence[Answer], after: Sequence[Answer], curve: Sequence[Step]) -> None:
    pairs = sorted(zip(before, after, strict=True), key=lambda pair: _gain(*pair))
    chosen = {"gained most": pairs[-1], "typical": pairs[len(pairs) // 2], "lost most": pairs[0]}
    out.rule("answers before and after, with their true quality (0..1)", align="left")
    for name, pair in chosen.items():
        out.print(_sample(name, *pair))
    out.rule("what the policy learned", align="left")
    out.print(_table(before, after, curve), "", sep="\n")
    change = bootstrap([_gain(*pair) for pair in pairs])
    out.print(
        f"true quality of the {len(pairs)} answers changed by {change.value:+.2f} "
        f"(95 % interval {change.low:+.2f} to {change.high:+.2f}); no judge saw it. Where judge "
        "reward grows faster than true quality, the policy has learned to please the judge.",
        "",
        sep="\n",
    )


def _gain(before: Answer, after: Answer) -> float:
    return after.quality - before.quality


def _sample(name: str, before: Answer, after: Answer) -> RenderableType:
    query = Text(printable(before.task.query))
    table = plain_table("", "", head=False)
    for when, answer in (("before", before), ("after", after)):
        table.add_row(f"{when}, {answer.quality:.2f}", printable(answer.response))
    return Lines(Text(name, "bold"), *(Padding(part, (0, 0, 0, 4)) for part in (query, table)))


def _table(before: Sequence[Answer], after: Sequence[Answer], curve: Sequence[Step]) -> Table:
    table = plain_table("", ">before", ">after", "")
    ends = f"training, first and last {min(EDGE, len(curve) // 2)} steps"
    rows = (
        ("judge reward", edges([step.judge_reward for step in curve]), ends),
        ("true quality", edges([step.true_quality for step in curve]), ends),
        ("true quality", (_mean(before), _mean(after)), f"{len(before)} fresh queries"),
    )
    for name, (first, last), where in rows:
        table.add_row(name, f"{first:.2f}", f"{last:.2f}", where)
    return table


def _mean(answers: Sequence[Answer]) -> float:
    return statistics.fmean(one.quality for one in answers)


def _tell_next(folder: Path) -> None:
    grm = program()
    out.print(
        f"picture: {folder / 'learning.png'}",
        f"policy:  {folder / 'policy'}",
        f"next:    {grm} show {folder / 'verdicts.jsonl'} --lowest 3   # why a reward is low",
        sep="\n",
        soft_wrap=True,
    )
