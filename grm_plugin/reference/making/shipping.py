"""Puts trained models of the family into a package folder, each with what tells how it was made.

`python -m grm_plugin.reference.making.shipping [--base FOLDER [--judge FOLDER] [--meta FOLDER]]
[--scalar FOLDER] [--journal FILE --seed N] [--note TEXT]`. Cards of judges are written afterwards,
by `python -m grm_plugin.reference.making.card FOLDER`. Needs torch and transformers.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

from grm_plugin.classifiers import SCALAR, TEMPLATE
from grm_plugin.reference.judge import BASE, MODEL
from grm_plugin.reference.making.rendering import render_meta_card, render_scalar_card
from grm_plugin.reference.making.stages import JUDGE_STAGES, META_STAGES, SCALAR_STAGES
from grm_plugin.reference.making.training import save_model, write_json
from grm_plugin.reference.reward_models import META_MODEL, SCALAR_MODEL
from grm_plugin.reference.tokenizer import save_tokenizer


def ship_base(trained: Path, into: Path = BASE, *, note: str = "") -> None:
    """Copy a finished `grm train reference` with its log and its settings, but for its folder.

    Args:
        trained: the folder of the training.
        into: the folder in the package.
        note: where and when it was trained.
    """
    _ship_judge(trained, into)
    write_json(into / "training.json", _training_of(trained, note))
    shutil.copyfile(trained / "log.jsonl", into / "log.jsonl")


def ship_judge(
    trained: Path,
    base: Path,
    stages: Sequence[Mapping[str, Any]],
    into: Path = MODEL,
    *,
    note: str = "",
) -> None:
    """Copy the judge that SPCT made of `base`.

    Args:
        trained: the folder of the RL.
        base: the folder of the base that is shipped beside it.
        stages: how it was made, as :func:`stages_of` reads them.
        into: the folder in the package.
        note: where and when it was trained.
    """
    _ship_judge(trained, into)
    write_json(into / "training.json", _training_of(base, note) | {"stages": list(stages)})
    for name in ("metrics.jsonl", "metrics.png"):
        if (trained / name).exists():
            shutil.copyfile(trained / name, into / name.replace("metrics.png", "curves.png"))


def ship_meta(
    trained: Path, stages: Sequence[Mapping[str, Any]], into: Path = META_MODEL, *, note: str = ""
) -> None:
    """Copy a meta RM that `grm train meta` made, and write its card; arguments as of the judge.

    Where it lay when it was trained is left out.
    """
    _ship_classifier(trained, stages, into, note, render_meta_card)


def ship_scalar(
    trained: Path, stages: Sequence[Mapping[str, Any]], into: Path = SCALAR_MODEL, *, note: str = ""
) -> None:
    """Copy a scalar RM that `grm train scalar` made, and write its card; arguments as of the judge.

    Where it lay when it was trained is left out.
    """
    _ship_classifier(trained, stages, into, note, render_scalar_card)
    scaling = _read_json(trained / SCALAR)
    write_json(into / SCALAR, {name: scaling[name] for name in ("center", "spread", "pairs")})


def stages_of(journal: Path, names: Sequence[str], seed: int, base: Path) -> list[dict[str, Any]]:
    """Name, command and seconds of the stages `names` of one seed, as the recipe noted them.

    Args:
        journal: `journal.json` of `recipes/spct/reference/run.py`, or of another chain of stages.
        names: of the stages, without the seed, which some have none of.
        seed: whose stages.
        base: the folder of the base, wherever it lay.

    Raises:
        KeyError: a stage was not run.
    """
    noted = _read_json(journal)
    entries = [(name, noted.get(f"{name} {seed}") or noted[name]) for name in names]
    return [
        {
            "name": name,
            "command": _told(entry["command"], journal.parent, base),
            "seconds": entry["seconds"],
        }
        for name, entry in entries
    ]


def _told(command: Sequence[str], out: Path, base: Path) -> str:
    """A command as people would type it: `python` by its name, paths from the chain's folder."""
    program = "python" if Path(command[0]).name.startswith("python") else command[0]
    typed = shlex.join([program, *command[1:]])
    return typed.replace(str(out), "OUT").replace(str(base), "OUT/base")


def _ship_classifier(
    trained: Path,
    stages: Sequence[Mapping[str, Any]],
    into: Path,
    note: str,
    card: Callable[[Mapping[str, Any], Mapping[str, Any]], str],
) -> None:
    into.mkdir(parents=True, exist_ok=True)
    model = AutoModelForSequenceClassification.from_pretrained(trained, dtype=torch.float32)
    model.save_pretrained(into)
    save_tokenizer(into)
    for name in (TEMPLATE, "calibration.png"):
        shutil.copyfile(trained / name, into / name)
    report = _read_json(trained / "report.json")
    for place in ("base", "folder"):
        report.get("training", {}).pop(place, None)
    write_json(into / "report.json", report)
    training = {"note": note, "stages": list(stages)}
    write_json(into / "training.json", training)
    (into / "README.md").write_text(card(training, report), encoding="utf-8")


def _ship_judge(trained: Path, into: Path) -> None:
    into.mkdir(parents=True, exist_ok=True)
    save_model(AutoModelForCausalLM.from_pretrained(trained, dtype=torch.float32), into)


def _training_of(base: Path, note: str) -> dict[str, Any]:
    training = _read_json(base / "training.json")
    training["config"].pop("folder", None)
    return training | ({"note": note} if note else {})


def _read_json(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m grm_plugin.reference.making.shipping")
    parser.add_argument("--base", type=Path, help="of `grm train reference`")
    parser.add_argument("--judge", type=Path, help="folder of the RL")
    parser.add_argument("--meta", type=Path, help="folder of `grm train meta`")
    parser.add_argument("--scalar", type=Path, help="folder of `grm train scalar`")
    parser.add_argument("--journal", type=Path, help="journal.json of the recipe")
    parser.add_argument("--seed", type=int, default=1, help="of the recipe")
    parser.add_argument("--note", default="", help="where and when they were trained")
    given = parser.parse_args(arguments)
    if given.base:
        ship_base(given.base, note=given.note)
    if given.judge:
        made = stages_of(given.journal, JUDGE_STAGES, given.seed, given.base)
        ship_judge(given.judge, given.base, made, note=given.note)
    if given.meta:
        made = stages_of(given.journal, META_STAGES, given.seed, given.base)
        ship_meta(given.meta, made, note=given.note)
    if given.scalar:
        made = stages_of(given.journal, SCALAR_STAGES, given.seed, BASE)
        ship_scalar(given.scalar, made, note=given.note)


if __name__ == "__main__":
    main()
