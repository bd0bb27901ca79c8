"""``grm train weights``: fits how much each judgment counts, from records and without a token."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import BadParameter, Option

from grm_plugin import strict_yaml
from grm_plugin.classifiers import Classifier, named
from grm_plugin.cli.ks import parsed_ks
from grm_plugin.cli.progress import Meter
from grm_plugin.cli.scale_records import samples_of
from grm_plugin.cli.training_options import LabelledRecords
from grm_plugin.engine import Limits
from grm_plugin.errors import InputError, not_installed, quoted
from grm_plugin.pipeline.classifying import trained_on
from grm_plugin.pipeline.rating import load_meta_template
from grm_plugin.plugins import installed
from grm_plugin.records import to_line
from grm_plugin.report.terminal import out, plain_table, say
from grm_plugin.running.whole_file import as_json, writing
from grm_plugin.spct.meta_kept import KeptLogits
from grm_plugin.spct.meta_records import rate_verdicts
from grm_plugin.spct.splitting import Splitting
from grm_plugin.types import Verdict

if TYPE_CHECKING:
    from grm_plugin.evaluation.scaling.samples import Samples
    from grm_plugin.spct.weight_fitting import Feature
    from grm_plugin.spct.weight_validation import Figure

_FEWEST = 20  # groups


@dataclass(frozen=True)
class _Asked:
    """What the options say of the fit."""

    ks: tuple[int, ...]
    by: str | None
    folds: int
    seed: int
    drop_below: float
    margin_only: bool


def weights(
    records: LabelledRecords,
    output: Annotated[Path, Option("--out", metavar="WEIGHTS", help="JSON file for the result.")],
    classifier: Annotated[
        str | None,
        Option(
            metavar="FOLDER|PART",
            help="Meta RM for judgments without a meta-score on record: its folder, or as in a "
            "configuration, such as '{name: server, url: http://localhost:8002}'.",
        ),
    ] = None,
    template: Annotated[
        str | None,
        Option(help="Name or file of what the meta RM is shown; default: what it was trained on."),
    ] = None,
    rated: Annotated[
        Path | None, Option(help="Write RECORDS here, with the meta-scores that were missing.")
    ] = None,
    margin_only: Annotated[
        bool, Option("--margin-only", help="Weights by the margin alone, without a meta RM.")
    ] = False,
    ks: Annotated[str, Option(metavar="4,8,...", help="How many samples vote.")] = "4,8,16,32",
    by: Annotated[
        str | None,
        Option(
            help="Name in the metadata of what folds and intervals keep together, one value or a "
            "list; default: the prompt."
        ),
    ] = None,
    drop_below: Annotated[
        float,
        Option(
            min=0.0,
            max=1.0,
            help="Judgments of less than this share of the heaviest weight have no vote. Not "
            "fitted: weights become small by themselves, and what is small counts little.",
        ),
    ] = 0.0,
    folds: Annotated[int, Option(min=2, help="Of the cross-validation.")] = 5,
    seed: Annotated[int, Option(help="Decides the subsets of samples.")] = 0,
) -> None:
    """Fit soft weights: how much a judgment counts, by its meta-score and its margin.

    RECORDS hold labelled groups with several samples each, such as `grm score -k 32` writes; they
    should not be the groups that the meta RM was trained on. Nothing is sampled. The weights make
    the labels likely in votes of random subsets of the samples; the table says, on folds that they
    were not fitted to, what they gain over equal weights, and what the margin alone would gain.

    A rating by --classifier that was killed goes on where it was, by the same command.

    Used by `select: {name: weights, file: WEIGHTS, classifier: {...}}`.
    """
    verdicts = _read(records)
    kept = KeptLogits(output.with_name(f".{output.name}.logits"), _named(classifier, template))
    if classifier:
        verdicts = _rated(verdicts, _made(classifier), template, kept)
    if rated:
        with writing(rated) as file:
            file.writelines(to_line(one).decode() for one in verdicts)
    asked = _Asked(parsed_ks(ks), by, folds, seed, drop_below, margin_only)
    result, figures = _fitted(verdicts, asked)
    with writing(output) as file:
        file.write(as_json(result, indent=2) + "\n")
    kept.forget()
    _tell(result, figures)
    say(f"next: grm score ... --set select.name=weights --set select.file={output}")


def _read(records: Sequence[Path]) -> list[Verdict]:
    found = samples_of(records)
    several = [one for one in found if len(one.group.responses) > 1]
    if len(several) < _FEWEST:
        raise InputError(
            f"expected {_FEWEST} groups of two or more responses or more, got {len(several)} among "
            f"{len(found)} verdicts"
        )
    return several


def _made(classifier: str) -> Classifier:
    if Path(classifier).is_dir():
        part: Any = {"name": "transformers", "model": classifier}
    else:
        part = strict_yaml.parse(classifier)
    if not isinstance(part, dict):
        raise BadParameter(
            f"--classifier: expected a folder or {{name: ..., ...}}, got {quoted(classifier)}"
        )
    made: Classifier = installed().make("classifier", *named(part), Limits())
    return made


def _named(classifier: str | None, template: str | None) -> str:
    """Who rates; another one where the weights in a folder are new."""
    folder = Path(classifier or "")
    files = sorted(folder.glob("*.safetensors")) if classifier and folder.is_dir() else []
    times = [str(file.stat().st_mtime_ns) for file in files]
    return "\0".join([str(classifier), str(template), *times])


def _rated(
    verdicts: list[Verdict], classifier: Classifier, template: str | None, kept: KeptLogits
) -> list[Verdict]:
    with Meter(None, "judgments", state="rating") as meter:
        return rate_verdicts(
            verdicts,
            classifier,
            load_meta_template(template or trained_on(classifier)),
            kept,
            lambda done: meter.show(done, "rated"),
        )


def _fitted(verdicts: Sequence[Verdict], asked: _Asked) -> tuple[dict[str, Any], list[Figure]]:
    try:
        from grm_plugin.evaluation.scaling.samples import Samples
        from grm_plugin.spct.weight_fitting import Fitting, fit_weights
        from grm_plugin.spct.weight_validation import cross_validated
    except ImportError as error:
        raise not_installed("grm train weights", "eval", error) from error
    samples = Samples.of(verdicts)
    ways = _ways(samples, asked)
    fitting = Fitting(ks=_drawn(samples, asked), seed=asked.seed)
    values = [Splitting(asked.by).values(group) for group in samples.groups]
    limit = {"drop_below": asked.drop_below}
    try:
        figures = cross_validated(samples, values, ways, fitting, folds=asked.folds, **limit)
    except InputError as error:
        raise InputError(f"--by {asked.by or '(the prompt)'}: {error}") from None
    fitted = fit_weights(samples, ways[-1], fitting, **limit)
    return {
        "coefficients": fitted.weighing.model_dump(),
        "temperature": fitted.temperature,
        "log_likelihood": {"weights": fitted.log_likelihood, "equal": fitted.equal},
        "groups": len(samples.groups),
        "samples": samples.samples,
        "clusters": len(set(itertools.chain.from_iterable(values))),
        "ks": fitting.ks,
        "folds": asked.folds,
        "seed": asked.seed,
        "held_out": [asdict(one) for one in figures],
    }, figures


def _drawn(samples: Samples, asked: _Asked) -> tuple[int, ...]:
    """Those of the sizes for which there are samples."""
    if sizes := tuple(k for k in asked.ks if k <= samples.samples):
        return sizes
    raise InputError(f"--ks: expected at most {samples.samples}, the samples of a group")


def _ways(samples: Samples, asked: _Asked) -> list[tuple[Feature, ...]]:
    """What weights may depend on; the last way is the one that is written."""
    if asked.margin_only:
        return [("margin",)]
    known = samples.meta_G_K == samples.meta_G_K  # NaN differs from itself
    if not known.any():
        raise InputError(
            "no judgment has a meta-score on record; name a meta RM with --classifier, or fit "
            "--margin-only"
        )
    return [("margin",), ("meta",), ("meta", "margin")]


def _tell(result: dict[str, Any], figures: Sequence[Figure]) -> None:
    table = plain_table("on held-out folds", ">k", ">best wins", ">gain", "95 % interval")
    for one in sorted(figures, key=lambda one: one.k):
        interval = f"{100 * one.gain.low:+.1f} to {100 * one.gain.high:+.1f}"
        gain = f"{100 * one.gain.value:+.1f}"
        row = [f"{one.accuracy.value:.1%}", gain, interval]
        table.add_row(one.name, str(one.k), *(row if one.gain.value or one.gain.high else row[:1]))
    out.print(table)
    used = {name: round(value, 4) for name, value in result["coefficients"].items()}
    out.print(f"weights: {used}, of {result['groups']} groups with {result['samples']} samples")
