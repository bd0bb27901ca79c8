"""``grm eval``: how good a judge is on benchmarks, or what its recorded verdicts come to."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Exit, Option

from grm_plugin.cli.eval_sources import named_benchmarks
from grm_plugin.cli.judge import JudgeSettings, takes_judge
from grm_plugin.cli.ks import read_ks
from grm_plugin.cli.terminated import terminable
from grm_plugin.errors import ConfigError
from grm_plugin.plugins import installed

LOST = 3
_NEEDED = ("numpy", "scipy")


@takes_judge
def evaluate(
    settings: JudgeSettings,
    sources: Annotated[
        list[str],
        Argument(
            metavar="SOURCE",
            help="Benchmarks, NAME or NAME:PATH, such as rewardbench or labelled:rm.jsonl (`grm "
            "plugins` lists them); or records of verdicts, and then no token is spent.",
        ),
    ],
    folder: Annotated[Path, Option("--out", metavar="DIR", help="Folder of this run.")],
    options: Annotated[
        list[str] | None,
        Option(
            "--option",
            metavar="KEY=VALUE",
            help="Option of the benchmarks, such as shown=pairs; NAME.KEY=VALUE of one of several.",
        ),
    ] = None,
    ties: Annotated[
        Literal["strict", "half", "random"] | None,
        Option(help="What a tie at the top counts; default: what the benchmark's scorer does."),
    ] = None,
    subset: Annotated[
        list[str] | None, Option(help="Only groups of this subset or section; repeatable.")
    ] = None,
    limit: Annotated[
        int | None, Option(min=1, help="Only the first so many groups of each benchmark.")
    ] = None,
    greedy: Annotated[
        bool, Option("--greedy", help="Besides, one judgment of each group at temperature 0.")
    ] = False,
    ks: Annotated[
        str | None,
        Option("--ks", metavar="1,2,...", help="How many samples vote; default: powers of 2."),
    ] = None,
    weights: Annotated[
        Path | None,
        Option(metavar="FILE", help="For records: soft weights that `grm train weights` fitted."),
    ] = None,
) -> None:
    """Measure how good a judge is: official figures with 95 % intervals, gains and costs.

    The judge's verdicts go to `DIR/verdicts.jsonl` (and `DIR/greedy.jsonl`), one folder for each
    of several benchmarks; the same command goes on after a kill. `DIR/eval.json` holds everything
    that was measured, `DIR/index.html` shows it. A group that is not judged is unscored: it counts
    as not right, and is shown.

    Of records (files, folders, a folder of `grm eval`) judgments vote again: `-k` samples, `--ks`
    for a curve, `--vote`, `--set k_meta=4` or `--set select=all`, `--weights`. To read the judge's
    texts by another contract, judge the benchmark with `--engine replay`.

    Exit code: 0 all is measured, 3 some judgments were lost on the way, which the same command
    draws again, or nothing was scored, 4 the budget is spent, 1 an error, 130 interrupted, 143
    terminated.
    """
    if missing := [name for name in _NEEDED if find_spec(name) is None]:
        raise ConfigError(f'grm eval needs {", ".join(missing)}; pip install "grm-plugin[eval]"')
    from grm_plugin.cli.eval_run import Wanted, of_benchmarks, of_records

    wanted = Wanted(
        options=tuple(options or ()),
        ties=ties,
        subsets=tuple(subset or ()),
        limit=limit,
        ks=read_ks(ks),
        greedy=greedy,
    )
    with terminable():
        if named := named_benchmarks(sources, installed()):
            _refuse_weights(weights)
            lost = of_benchmarks(named, wanted, settings.load(), folder)
        else:
            lost = of_records(sources, wanted, settings, weights, folder)
    raise Exit(LOST if lost else 0)


def _refuse_weights(file: Path | None) -> None:
    if file:
        raise ConfigError(
            "--weights: for records; of a judge say --set 'select={name: weights, file: FILE}'"
        )
