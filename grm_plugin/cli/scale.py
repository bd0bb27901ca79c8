"""``grm scale``: what more samples of a judge buy, from one set of samples a group."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Exit, Option

from grm_plugin.cli.judge import JudgeSettings, takes_judge
from grm_plugin.cli.ks import read_ks
from grm_plugin.cli.scale_rating import needs_rating, rated
from grm_plugin.cli.scale_records import from_records, record_files
from grm_plugin.cli.scale_samples import sampled
from grm_plugin.cli.terminated import terminable
from grm_plugin.errors import ConfigError
from grm_plugin.hosts.columns import Columns
from grm_plugin.hosts.inputs.opening import Input

SAMPLES, ORDERS = 64, 64
LOST = 3
_NEEDED = ("numpy", "matplotlib")


@takes_judge
def scale(
    settings: JudgeSettings,
    data: Annotated[
        list[str],
        Argument(
            metavar="DATA",
            help="Labelled groups, in any form that `grm score` reads; or records of such groups, "
            "and then no token is spent.",
        ),
    ],
    folder: Annotated[
        Path, Option("--out", metavar="DIR", help="Folder for records, figures and picture.")
    ],
    samples: Annotated[
        int | None,
        Option(min=1, help=f"Samples of a group; {SAMPLES}, of records all that they have."),
    ] = None,
    ks: Annotated[
        str | None,
        Option("--ks", metavar="1,2,...", help="How many samples vote; default: powers of 2."),
    ] = None,
    greedy: Annotated[
        bool, Option(help="Besides, one judgment of each group at temperature 0.")
    ] = True,
    cluster: Annotated[
        str | None,
        Option(
            metavar="NAME,...",
            help="Columns, such as phrasings,source: groups that share a value, or any of a list, "
            "belong together.",
        ),
    ] = None,
    orders: Annotated[int, Option(min=1, help="Random orders of the samples.")] = ORDERS,
    ties: Annotated[
        Literal["random", "half", "strict"],
        Option(help="What a tie of m for the top counts: 1/m, one half, or nothing."),
    ] = "random",
    weights: Annotated[
        Path | None, Option(metavar="FILE", help="Soft weights that `grm train weights` fitted.")
    ] = None,
    limit: Annotated[int | None, Option(min=1, help="Only the first so many groups.")] = None,
    split: Annotated[str | None, Option(help="Split of a data set that has several.")] = None,
    columns: Annotated[
        list[str] | None,
        Option(help="Names in DATA, such as prompt=question,responses=a+b; id= leaves one out."),
    ] = None,
) -> None:
    """Measure how often a judge finds the right response when 1, 2, 4, ... samples vote.

    A row of DATA has a prompt, responses, and what is known of them: `best`, the index of the best
    one; `ratings`, a number each; `chosen` and `rejected`; or for one response `correct`, 0 or 1.
    Each `subset` is reported apart, too.

    The judge draws all samples once, into `DIR/samples.jsonl` and `DIR/greedy.jsonl`; the same
    command goes on after a kill. Every figure comes from these samples: the votes, the meta RM's
    choices where meta-scores are on record or `select` names its classifier, soft weights, early
    stops where `stop` names them. All share the same random orders of the samples, so differences
    are paired. `DIR/scale.json` holds everything, `DIR/scale.png` the curves.

    Exit code: 0 all is measured, 3 some judgments were lost on the way, which the same command
    draws again, 4 the budget is spent, 1 an error, 130 interrupted, 143 terminated.
    """
    if missing := [name for name in _NEEDED if find_spec(name) is None]:
        raise ConfigError(f'grm scale needs {", ".join(missing)}; pip install "grm-plugin[eval]"')
    if "k" in settings.shortcuts:
        raise ConfigError("-k: the samples of a group are --samples here; leave -k out")
    sizes, clusters, config = read_ks(ks), _names(cluster), settings.load()
    if records := record_files(data):
        judged = from_records(records, limit)
        if needs_rating(judged, config):
            with terminable():
                judged = rated(judged, records, config, folder)
    else:
        groups = Input(data[0], split=split, columns=Columns.parse(columns or ()))
        with terminable():
            judged = sampled(
                config.but(k=samples or SAMPLES),
                groups,
                folder,
                greedy=greedy,
                limit=limit,
                clusters=clusters,
            )
    from grm_plugin.cli.scale_study import Asked, report

    asked = Asked(samples, sizes, orders, config.seed, clusters, ties)
    report(judged if greedy else replace(judged, greedy=()), asked, config, weights, folder)
    raise Exit(LOST if judged.lost else 0)


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(one.strip() for one in (text or "").split(",") if one.strip())
