"""``grm train stopper``: the options of the stoppers, from samples on record."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from rich.table import Table
from typer import Argument, Option

from grm_plugin.cli.recorded_scale import check_scores, recorded_scale
from grm_plugin.cli.scale_records import samples_of
from grm_plugin.errors import InputError, not_installed
from grm_plugin.report.terminal import out, plain_table, say
from grm_plugin.running.whole_file import writing
from grm_plugin.types import Scale, Verdict

if TYPE_CHECKING:
    from grm_plugin.spct.threshold import Threshold, Trial


def stopper(
    records: Annotated[
        list[Path],
        Argument(
            metavar="RECORDS",
            help="Verdicts with more than k samples of each group, as `grm score` writes them: "
            "files, the start of their names, or folders, also of `grm scale`.",
        ),
    ],
    k: Annotated[int, Option("-k", "--k", min=4, help="Most samples of a group.")] = 32,
    lose: Annotated[
        float, Option(min=0, max=100, help="Most accuracy to lose against all k, in points of 100.")
    ] = 0.2,
    mean: Annotated[
        float | None,
        Option(
            min=2, help="Samples of a group on average: the worth of `stop: advantage` instead."
        ),
    ] = None,
    min_samples: Annotated[int, Option(min=2, help="Fewest samples of a group.")] = 4,
    scale: Annotated[
        tuple[float, float] | None,
        Option(
            help="Lowest and highest score of the judge; default: what the template on record says."
        ),
    ] = None,
    cluster: Annotated[
        list[str] | None, Option(help="Name in the metadata by which groups belong together.")
    ] = None,
    orders: Annotated[int, Option(min=1, help="Random orders of the samples.")] = 64,
    seed: Annotated[int, Option(help="Decides the orders and the intervals.")] = 0,
    to: Annotated[Path | None, Option("--out", help="JSON file for all that was found.")] = None,
) -> None:
    """Find the largest error of `stop: ranking` that loses next to no accuracy on these groups; or
    with `--mean` the worth of `stop: advantage` that spends so many samples.

    The samples are put into many random orders, and every order is ended where the stopper would
    end it. Groups need labels (`best`, `ratings`); where one has none, all are labelled by what all
    of their samples vote for. Take groups that you do not test on, and judge them once with twice
    the k that you want or more: `grm score DATA -o RECORDS -k 64`. Where every error loses more,
    the file of `--out` keeps `stop: fixed`.
    """
    try:
        from grm_plugin.spct.threshold import Trial
    except ImportError as error:
        raise not_installed("grm train stopper", "eval", error) from error
    verdicts = list(samples_of(records))
    known = _scale(verdicts, scale)
    trial = Trial(k, min_samples, known, orders, seed, tuple(cluster or ()))
    if mean is None:
        _find_error(verdicts, trial, lose, to)
    else:
        _find_worth(verdicts, trial, mean, to)


def _scale(verdicts: list[Verdict], given: tuple[float, float] | None) -> Scale:
    """What the options or the records say, which no score may leave."""
    known = Scale(*given) if given else verdicts and recorded_scale(verdicts[0])
    if not known:
        raise InputError(
            "the records do not say on which scale the judge scores (their template is not on "
            "record, not installed, or another by now); name it, such as --scale 1 10"
        )
    check_scores(verdicts, known)
    return known


def _find_worth(verdicts: list[Verdict], trial: Trial, mean: float, to: Path | None) -> None:
    from grm_plugin.spct.worth import worth_of

    found = worth_of(verdicts, trial, mean)
    stop = {"name": "advantage", "worth": found.worth, "min_samples": trial.min_samples}
    say(
        f"{len(verdicts)} groups get {found.samples:.1f} samples on average, "
        f"{found.most_share:.1%} of them all {trial.k}"
    )
    if to:
        _write(to, {"stop": stop, "trial": asdict(trial), "mean": mean, "found": asdict(found)})
    _tell(trial, f"advantage, worth: {found.worth:g}")


def _tell(trial: Trial, chosen: str) -> None:
    fewest = "" if trial.min_samples == 4 else f", min_samples: {trial.min_samples}"
    out.print(f"k: {trial.k}\nstop: {{name: {chosen}{fewest}}}")


def _find_error(read: list[Verdict], trial: Trial, lose: float, to: Path | None) -> None:
    from grm_plugin.spct.threshold import largest, tried

    verdicts, labels = _labelled(read)
    thresholds = tried(verdicts, trial)
    chosen = largest(thresholds, lose / 100)
    out.print(_table(thresholds, chosen))
    say(
        f"{len(verdicts)} groups, labels: {labels}; accuracy in points of 100, at most {trial.k} "
        "samples"
    )
    if to:
        told = {"groups": len(verdicts), "labels": labels, "lose": lose, "trial": asdict(trial)}
        _write(to, {**told, **_found(thresholds, chosen, trial)})
    if chosen:
        _tell(trial, f"ranking, error: {chosen.error:g}")
        return
    lost = f"lose: every error of the stopper loses more than {lose:g} points on these groups; "
    if to is None:
        raise InputError(f"{lost}allow more, or keep stop: fixed")
    say(f"{lost}{to} keeps stop: fixed")


def _labelled(verdicts: list[Verdict]) -> tuple[list[Verdict], str]:
    from grm_plugin.spct.threshold import are_labelled, labelled_by_all

    if are_labelled(verdicts):
        return verdicts, "of the data"
    return labelled_by_all(verdicts), "what all samples vote for"


def _table(thresholds: list[Threshold], chosen: Threshold | None) -> Table:
    table = plain_table(">error", ">samples", ">saved", "accuracy", "over uniform", "")
    for one in thresholds:
        table.add_row(
            f"{one.error:g}",
            f"{one.samples:.1f}",
            f"{one.saved:.1%}",
            _points(one.change),
            _points(one.over_uniform) if one.over_uniform else "",
            "chosen" if one is chosen else "",
        )
    return table


def _points(found: Any) -> str:
    """A difference in points of 100, with its interval."""
    value, low, high = (100 * number for number in (found.value, found.low, found.high))
    return f"{value:+.2f} [{low:+.2f}, {high:+.2f}]"


def _found(
    thresholds: list[Threshold], chosen: Threshold | None, trial: Trial
) -> dict[str, object]:
    stop = {"name": "ranking", "min_samples": trial.min_samples}
    return {
        "stop": {**stop, "error": chosen.error} if chosen else {"name": "fixed"},
        "chosen": asdict(chosen) if chosen else None,
        "thresholds": [asdict(one) for one in thresholds],
    }


def _write(path: Path, found: object) -> None:
    with writing(path) as file:
        file.write(json.dumps(found, indent=1) + "\n")
