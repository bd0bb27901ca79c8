"""Measures a trained reference model and writes its model card. Needs torch."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM

from grm_plugin.reference.making.curves import read_log, save_curves
from grm_plugin.reference.making.measurement import Figures, measure
from grm_plugin.reference.making.rendering import render_card
from grm_plugin.reference.making.training import write_json
from grm_plugin.reference.tokenizer import build_tokenizer

SIZES = (2, 4, 8)
"""The group sizes N that the card reports."""


def write_card(
    folder: Path, *, groups: Mapping[int, int], samples: int = 8, seed: int = 2026
) -> None:
    """Measure the model in `folder` on held-out groups; write `README.md` and `figures.json` there.

    Where the folder has a `log.jsonl`, it is drawn as `curves.png`.

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
    write_json(folder / "figures.json", {"groups": groups, "samples": samples, **plain})
    training = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    card = render_card(training, figures, groups=groups, samples=samples)
    (folder / "README.md").write_text(card, encoding="utf-8")
    if (folder / "log.jsonl").exists():
        save_curves(folder / "curves.png", read_log(folder / "log.jsonl"))


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
