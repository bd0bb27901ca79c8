"""Measures a trained reference model and writes its model card. Needs torch."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from importlib.resources import files
from multiprocessing import get_context
from pathlib import Path
from string import Template
from typing import Any

import torch
from transformers import AutoModelForCausalLM

from grm_plugin.evaluation.statistics import Estimate
from grm_plugin.reference.making.measurement import Figures, measure
from grm_plugin.reference.tasks.words import compounds, words
from grm_plugin.reference.tokenizer import build_tokenizer

SIZES = (2, 4, 8)
"""The group sizes N that the card reports."""


def write_card(
    folder: Path, *, groups: Mapping[int, int], samples: int = 8, seed: int = 2026
) -> None:
    """Measure the model in `folder` on held-out groups; write `README.md` and `figures.json` there.

    Args:
        folder: a finished training, with its `training.json`.
        groups: evaluation groups for each N, by N.
        samples: K, judgments a group that vote.
        seed: seeds the groups and the sampling; not the seed of the training.
    """
    # The longest first, so that all cores are done at about the same time.
    sizes = sorted(groups, reverse=True)
    jobs = [(size, *how) for size in sizes for how in ((samples, 1.0), (1, 0.0))]
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        found = list(pool.map(partial(_measure, folder, groups, seed), jobs))
    measured = dict(zip(jobs, found, strict=True))
    figures = {
        size: {"greedy": measured[size, 1, 0.0], "sampled": measured[size, samples, 1.0]}
        for size in sorted(groups)
    }
    plain = {
        str(size): {how: asdict(one) for how, one in some.items()} for size, some in figures.items()
    }
    _write_json(folder / "figures.json", {"groups": groups, "samples": samples, **plain})
    training = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    card = render_card(training, figures, groups=groups, samples=samples)
    (folder / "README.md").write_text(card, encoding="utf-8")


def render_card(
    training: Mapping[str, Any],
    figures: Mapping[int, Mapping[str, Figures]],
    *,
    groups: Mapping[int, int],
    samples: int,
) -> str:
    """The model card as Markdown, from `training.json` and the figures of each N."""
    config, report = training["config"], training["report"]
    sampled = figures[4]["sampled"]
    kinds = (f"{kind} {share:.0%}" for kind, share in sampled.agreement.items())
    text = files(__package__).joinpath("card.md").read_text(encoding="utf-8")
    return Template(text).substitute(
        {name: config[name] for name in ("layers", "width", "seed")},
        parameters=f"{report['parameters']:,}",
        tokens=f"{config['tokens']:,}",
        steps=f"{report['steps']:,}",
        groups=f"{report['groups']:,}",
        seconds=f"{report['seconds']:,.0f}",
        loss=f"{report['loss']:.3f}",
        note=training.get("note", ""),
        heldout_words=len(words("heldout")),
        all_words=len(compounds()),
        best_of=_table(figures, groups, samples),
        agreement=", ".join(kinds).replace("%", ""),
        invented=f"{sampled.invented:.2f}",
    )


def _measure(
    folder: Path, groups: Mapping[int, int], seed: int, job: tuple[int, int, float]
) -> Figures:
    torch.set_num_threads(1)
    size, samples, temperature = job
    return measure(
        AutoModelForCausalLM.from_pretrained(folder).eval(),
        build_tokenizer(),
        responses=size,
        groups=groups[size],
        samples=samples,
        temperature=temperature,
        seed=seed,
    )


def _table(
    figures: Mapping[int, Mapping[str, Figures]], groups: Mapping[int, int], samples: int
) -> str:
    columns = ("N", "groups", "chance", "greedy", "one sample, T = 1", f"mean of {samples}, T = 1")
    head = f"| {' | '.join(columns)} | readable |"
    rows = [
        f"| {size} | {groups[size]:,} | {100 / size:.1f} | {_percent(some['greedy'].best_of)} "
        f"| {_percent(some['sampled'].single)} | {_percent(some['sampled'].best_of)} "
        f"| {100 * some['sampled'].readable:.1f} |"
        for size, some in figures.items()
    ]
    return "\n".join([head, "|---|---|---|---|---|---|---|", *rows])


def _percent(one: Estimate) -> str:
    return f"{100 * one.value:.1f} ({100 * one.low:.1f} to {100 * one.high:.1f})"


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """`python -m grm_plugin.reference.making.card FOLDER`: measures a training, writes its card."""
    parser = argparse.ArgumentParser(prog="python -m grm_plugin.reference.making.card")
    parser.add_argument("folder", type=Path, help="a finished training")
    parser.add_argument(
        "--groups", type=int, nargs=len(SIZES), default=(800, 800, 400), help="groups for each N"
    )
    given = parser.parse_args()
    write_card(given.folder, groups=dict(zip(SIZES, given.groups, strict=True)))


if __name__ == "__main__":
    main()
