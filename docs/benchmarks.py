"""The page about benchmarks: made of the classes that read and score them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

from grm_plugin.evaluation.benchmarks.benchmark import BenchmarkOptions
from grm_plugin.plugins import installed

Describe = Callable[..., str]
INTRO = """\
# Benchmarks

`grm eval NAME:PATH` judges a benchmark and says what the verdicts come to; every number has a 95 % interval.
Data is read from a file, a folder, a zip or tar archive, or the hub, in the schema that its authors publish.
A plug-in offers others with [`grm_register_benchmarks`](hooks.md).

**Outcomes.** Every group is exactly one of *right* (a right response has the highest reward), *wrong*, *tie* (right and
wrong ones share the highest reward) and *unscored* (some response has no reward). What is unscored counts 0, and is shown.
Of groups with ratings there is no right and wrong: correlations leave out what is unscored, and say how many groups are scored.
What a tie counts is printed with the numbers: `strict` 0, `half` 1/2, `random` the share of right ones among the tied.
JudgeBench asks in both orders, and a tie is a pair that wins as many as it loses. Attacks are rates of errors: lower is better,
a tie counts against the judge unless `ties` says otherwise, and what is unscored is left out of them.
The table says what each benchmark's own scorer does; the option `ties` asks for another rule.

**Intervals** go by 2,000 resamples of the sources: groups that share a source (the same prompt, the pairs of one list) are
drawn together, and all numbers of a benchmark see the same resamples. A share has Wilson's interval of as many independent
groups as have the variance of the resamples: of 28 groups of which 95 % are right it holds the truth in 95 % of cases, where
percentiles hold it in 78 %. A mean of shares has at either end the wider of that and of what the intervals of its parts come to,
so that a small part that is all right keeps its room below: means of 2 to 9 parts of 10 to 500 groups each hold the truth in 93 %
to 99 % of simulated cases. Other numbers (correlations, areas, the score of Ties) have
percentiles. Groups that all share one source say nothing of how sources vary: their figures have no interval.

**Differences**, of two runs or of k samples and one, are paired, and have percentiles that are widened by Student's t, as few
sources do not know how much they vary. Fewer than six sources give no interval, no star and no p of resamples.

**Missing parts.** A score that is a mean of parts is no number while a part has no groups; the parts that are there have
theirs. Only within a section of RewardBench the subsets that are there make it, as in its own code.

| name | title | ties | where it is published |
|---|---|---|---|
"""


def benchmarks_page(describe: Describe) -> str:
    """Schemas, scores, ties and options of every benchmark.

    Args:
        describe: makes a table of options: title, model, level of heading, and the model whose
            options are left out.
    """
    kinds = [one.part.factory for one in installed().offers() if one.kind == "benchmark"]
    listed = "".join(map(_row, kinds))
    common = describe("Options of every benchmark", BenchmarkOptions)
    return INTRO + listed + "\n" + common + "\n" + "\n".join(_one(one, describe) for one in kinds)


def _row(kind: Any) -> str:
    hub = f"`{kind.hub}`" if kind.hub else "a file of yours"
    hub = "comes with this package" if kind.packaged else hub
    return f"| [`{kind.name}`](#{kind.name}) | {kind.title} | {kind.official_ties} | {hub} |\n"


def _one(kind: Any, describe: Describe) -> str:
    told = re.sub(r"(?<!\n)\n(?!\n)", " ", inspect.getdoc(kind) or "").replace("``", "`")
    text = f"## {kind.name}\n\n**{kind.title}.** {told}\n"
    if kind.Options is BenchmarkOptions:
        return text
    return f"{text}\n{describe(f'Options of `{kind.name}`', kind.Options, '###', BenchmarkOptions)}"
