"""The model cards of the reference family as Markdown. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from string import Template
from typing import Any

from grm_plugin.evaluation.statistics import Estimate
from grm_plugin.reference.making.measurement import Figures, Form
from grm_plugin.reference.tasks import teacher
from grm_plugin.reference.tasks.phrasings import phrasings, sections
from grm_plugin.reference.tasks.words import SPLITS, Split, words

_BASE = "This is the base model: what SPCT starts from. The judge to use is the one after SPCT."
_FINAL = "This is the judge after SPCT: fine-tuned on what it got right, then by its outcomes."

MeasuredN = Mapping[int, Mapping[str, Figures]]
"""Figures of `greedy` and `sampled` judgments, by N."""


def render_card(
    training: Mapping[str, Any], figures: MeasuredN, *, groups: Mapping[int, int], samples: int
) -> str:
    """The model card from `training.json` and the figures of each N.

    The training is one of `grm train reference` alone, or one with `stages` that went on from it.

    Args:
        training: as the model's folder has it.
        figures: what was measured.
        groups: evaluation groups for each N, by N.
        samples: K, judgments a group that voted.
    """
    config, report = training["config"], training["report"]
    stages = training.get("stages", ())
    return _filled(
        "card.md",
        {name: config[name] for name in ("layers", "width", "seed")},
        which=_FINAL if stages else _BASE,
        parameters=f"{report['parameters']:,}",
        tokens=f"{config['tokens']:,}",
        steps=f"{report['steps']:,}",
        groups=f"{report['groups']:,}",
        seconds=f"{report['seconds']:,.0f}",
        loss=f"{report['loss']:.3f}",
        spct=_stages(stages),
        note=training.get("note", ""),
        errors=_errors(),
        words=_counts(words),
        phrasings=_counts(_all_phrasings),
        best_of=_table(figures, groups, samples),
        agreement=_agreement(figures),
        form=_forms(figures),
    )


def render_meta_card(training: Mapping[str, Any], report: Mapping[str, Any]) -> str:
    """The model card of a meta RM.

    Args:
        training: its `stages`, the commands that made it with their seconds.
        report: what `grm train meta` found on held-out groups of the split `spct`.
    """
    figures = report["validation"]
    text = files(__package__).joinpath("meta_card.md").read_text(encoding="utf-8")
    names = ("label", "margin", "gain", "same_margin", "in_group", "in_group_same_margin")
    return Template(text).substitute(
        {name: _area(figures[name]) for name in names},
        judgments=f"{figures['judgments']:,}",
        groups=f"{figures['groups']:,}",
        right=_percent_of(figures["right"]),
        held_out_by=figures["held_out_by"],
        stages=_stage_table(training["stages"]),
        note=training.get("note", ""),
    )


def render_scalar_card(training: Mapping[str, Any], report: Mapping[str, Any]) -> str:
    """The model card of a scalar RM; arguments as of :func:`render_meta_card`."""
    found, made = report["validation"], report["training"]
    accuracy = found["accuracy"]
    return _filled(
        "scalar_card.md",
        groups=f"{made['groups']:,}",
        pairs=f"{made['pairs']:,}",
        steps=f"{made['steps']:,}",
        learning_rate=f"{made['learning_rate']:g}",
        held_out_pairs=f"{found['pairs']:,}",
        held_out_groups=f"{found['groups']:,}",
        accuracy=_percent(Estimate(accuracy["value"], accuracy["low"], accuracy["high"])) + " %",
        stages=_stage_table(training["stages"]),
        note=training.get("note", ""),
    )


def _filled(card: str, given: Mapping[str, Any] | None = None, /, **more: Any) -> str:
    """The text of a card beside this module, with its places filled."""
    text = files(__package__).joinpath(card).read_text(encoding="utf-8")
    return Template(text).substitute(given or {}, **more)


def _stages(stages: Sequence[Mapping[str, Any]]) -> str:
    if not stages:
        return ""
    return f"\nThen SPCT, on groups of the split `spct`:\n\n{_stage_table(stages)}\n"


def _stage_table(stages: Sequence[Mapping[str, Any]]) -> str:
    rows = [f"| {one['name']} | `{one['command']}` | {one['seconds']:,.0f} |" for one in stages]
    return "\n".join(["| stage | command | seconds |", "|---|---|---|", *rows])


def _errors() -> str:
    return (
        f"In {_percent_of(teacher.CARELESS)} of the judgments it is careless: it flips "
        f"{_percent_of(teacher.FLIPPED)} of the verdicts against their evidence, gets "
        f"{_percent_of(teacher.MISCOUNTED)} of the sums and {_percent_of(teacher.MISCOPIED)} of "
        f"the boxed scores wrong, and in {_percent_of(teacher.INVENTED)} of these judgments one "
        "criterion is invented"
    )


def _percent_of(share: float) -> str:
    return f"{100 * share:.0f} %"


def _all_phrasings(split: Split) -> list[str]:
    return [text for name in sections() for text in phrasings(name, split)]


def _counts(found: Callable[[Split], Sequence[str]]) -> str:
    return ", ".join(f"{len(found(split)):,} `{split}`" for split in SPLITS)


def _table(figures: MeasuredN, groups: Mapping[int, int], samples: int) -> str:
    columns = (
        "N", "groups", "chance", "greedy", "one sample, T = 1", f"mean of {samples}, T = 1",
        "readable", "ties",
    )  # fmt: skip
    rows = [
        f"| {size} | {groups[size]:,} | {100 / size:.1f} | {_percent(some['greedy'].best_of)} "
        f"| {_percent(some['sampled'].single)} | {_percent(some['sampled'].best_of)} "
        f"| {100 * some['sampled'].readable:.1f} | {100 * some['sampled'].ties:.1f} |"
        for size, some in figures.items()
    ]
    return "\n".join([f"| {' | '.join(columns)} |", "|---" * len(columns) + "|", *rows])


def _percent(one: Estimate) -> str:
    return f"{100 * one.value:.1f} ({100 * one.low:.1f} to {100 * one.high:.1f})"


def _area(one: Mapping[str, float]) -> str:
    return f"{one['value']:.3f} ({one['low']:.3f} to {one['high']:.3f})"


def _agreement(figures: MeasuredN) -> str:
    kinds = figures[4]["sampled"].agreement.items()
    return ", ".join(f"{kind} {100 * share:.0f}" for kind, share in kinds)


def _forms(figures: MeasuredN) -> str:
    columns = (
        "N", "criteria", "largest weight", "invented", "verdicts flipped", "sums wrong",
        "boxes wrong",
    )  # fmt: skip
    rows = [_form(size, some["sampled"].form) for size, some in figures.items()]
    return "\n".join([f"| {' | '.join(columns)} |", "|---" * len(columns) + "|", *rows])


def _form(size: int, form: Form) -> str:
    counts = (form.criteria, form.largest_weight, form.invented)
    slips = (form.flipped, form.miscounted, form.miscopied)
    cells = [*(f"{one:.2f}" for one in counts), *(f"{100 * one:.1f} %" for one in slips)]
    return f"| {size} | {' | '.join(cells)} |"
