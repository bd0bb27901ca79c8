"""The stages of SPCT on the reference family, from the base model to a judge with its meta RM."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from recipes.stages import Stage

HERE = Path("recipes/spct/reference")
CLUSTER = "phrasings"
"""What groups have a list of; those that share any of it hang together."""
_READS = ("--template", "reference-meta")
_META = ("--balance", "margin", "--batch", "32", "--device-batch", "32", "--epochs", "1")


@dataclass(frozen=True)
class Chain:
    """Where one seed of SPCT writes, and how much of it is done.

    Args:
        out: folder for what the seeds share, the base and the groups; each seed has one in it.
        seed: decides everything that is drawn after the base.
        base: folder of a trained base; None trains one.
        share: of the groups and the RL steps of the training, above 0, at most 1. Below 1 the
            judges are good for trying the commands and for nothing else.
        measured: of the groups that are not trained on, above 0, at most 1.
    """

    out: Path
    seed: int = 1
    base: Path | None = None
    share: float = 1.0
    measured: float = 1.0

    @property
    def own(self) -> Path:
        """The folder for what this seed makes."""
        return self.out / f"seed{self.seed}"

    @property
    def start(self) -> Path:
        """The folder of the base."""
        return self.base or self.out / "base"


def part(number: int, share: float) -> int:
    """The ``share`` of ``number``, 1 and more."""
    return max(1, round(number * share))


def plan() -> Mapping[str, Any]:
    """The sizes and seeds of study.yaml."""
    return _read("study.yaml")


def _read(name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = yaml.safe_load((HERE / name).read_text(encoding="utf-8"))
    return found


def shared(chain: Chain) -> list[Stage]:
    """What is made once for all seeds: the base, and the groups of split ``spct``."""
    train, tune = plan()["train"], plan()["tune"]
    base = grm("base", "train", "reference", makes=chain.start)
    made = [
        tasks("spct", train, part(train["groups"], chain.share), chain.out / "train.jsonl"),
        tasks("spct", tune, part(tune["groups"], chain.measured), chain.out / "tune.jsonl"),
    ]
    return made if chain.base else [base, *made]


def training(chain: Chain) -> list[Stage]:
    """Base to RFT to RL."""
    own, rm, seed = chain.own, str(chain.out / "train.jsonl"), ("--seed", str(chain.seed))
    drawn, kept, easy = own / "trajectories", own / "sft.jsonl", own / "easy.jsonl"
    rft, rows, rl = own / "rft", own / "rl.jsonl", own / "rl"
    asked = judge(chain.start, chain.seed)
    to_rows = ("train", "rl-data", rm, "--template", "reference", "--easy", str(easy), *seed)
    whole = _read("grpo.yaml")["max_steps"]
    steps = ("--max_steps", str(part(whole, chain.share)))
    return _of_seed(
        chain,
        # the reference judge has learned its prompt alone, and understands no hint
        grm("sample", "train", "sample", rm, "-n", "3", "--no-hinted", *asked, makes=drawn),
        grm("reject", "train", "reject", str(drawn), "--easy", str(easy), makes=kept),
        recipe("rft", "sft", chain.start, kept, *seed, makes=rft),
        replace(grm("rl-data", *to_rows, makes=rows), uses=(kept,)),  # made together with easy
        recipe("rl", "grpo", rft, rows, *seed, *steps, makes=rl),
    )


def rating(chain: Chain) -> list[Stage]:
    """The meta RM of the trained judge: first of the teacher's judgments, then of the judge's."""
    own, rl = chain.own, chain.own / "rl"
    again, rows, taught = own / "again", own / "meta.jsonl", own / "taught"
    asked = ("--no-hinted", *judge(rl, chain.seed))
    rm = str(chain.out / "train.jsonl")
    records = (str(folder / "plain.jsonl") for folder in (own / "trajectories", again))
    return _of_seed(
        chain,
        *_taught(chain, taught),
        grm("again", "train", "sample", rm, "-n", "3", *asked, makes=again),
        grm("meta-data", "train", "meta-data", *records, *_READS, makes=rows),
        _meta("meta", rows, taught, "--learning-rate", "2e-4", makes=own / "meta"),
    )


def _taught(chain: Chain, makes: Path) -> list[Stage]:
    """A meta RM that knows the teacher's judgments, which err more often, and there are more."""
    records, rows = chain.own / "teacher.jsonl", chain.own / "teacher_rows.jsonl"
    groups = part(plan()["teacher"]["groups"], chain.share)
    options = ("--groups", str(groups), "--seed", str(chain.seed))
    script = (sys.executable, "-m", "recipes.spct.reference.teacher_records", str(records))
    read = ("train", "meta-data", str(records), *_READS, "--validation", "0.02")
    return [
        Stage("teacher", (*script, *options), records),
        grm("teacher-rows", *read, makes=rows),
        _meta("taught", rows, chain.start, "--learning-rate", "5e-4", makes=makes),
    ]


def _meta(name: str, rows: Path, base: Path, *more: str, makes: Path) -> Stage:
    command = ("train", "meta", str(rows), "--base", str(base), *_META, *more)
    return grm(name, *command, makes=makes)


def choosing(chain: Chain) -> list[Stage]:
    """What is chosen on groups that were not trained on: weights and the stopper's error."""
    own, rated = chain.own, chain.own / "tune"
    samples, stop = plan()["tune"]["samples"], plan()["stop"]
    asked = (*judge(own / "rl", chain.seed), *meta_rm(own / "meta"), "--samples", str(samples))
    records = str(rated / "samples.jsonl")
    limits = ("--k", str(stop["cap"]), "--lose", str(stop["lose"]), "--cluster", CLUSTER)
    # by all phrasings, too few groups would be left to fit on
    weights = ("train", "weights", records, "--by", "phrasing")
    return _of_seed(
        chain,
        scale("tune", chain.out / "tune.jsonl", *asked, makes=rated),
        grm("weights", *weights, makes=own / "weights.json"),
        grm("margin", *weights, "--margin-only", makes=own / "margin.json"),
        grm("stopper", "train", "stopper", records, *limits, makes=own / "stopper.json"),
        _chosen(own),
    )


def _chosen(own: Path) -> Stage:
    made, module = own / "chosen.json", "recipes.spct.reference.figures.choosing"
    command = (sys.executable, "-m", module, str(own), "--out", str(made))
    read = (own / "tune", own / "weights.json", own / "margin.json")
    return Stage("chosen", command, made, read)


def _of_seed(chain: Chain, *stages: Stage) -> list[Stage]:
    return [replace(stage, name=f"{stage.name} {chain.seed}") for stage in stages]


def judge(model: Path, seed: int) -> tuple[str, ...]:
    """The options that name ``model`` as the judge."""
    return ("--config", f"{HERE}/judge.yaml", "--model", str(model), "--seed", str(seed))


def meta_rm(model: Path) -> tuple[str, ...]:
    """The options that name ``model`` as the meta RM."""
    return (
        *("--set", "select.name=meta_rm", "--set", "select.classifier.name=transformers"),
        *("--set", f"select.classifier.model={model}"),
    )


def tasks(split: str, slice_: Mapping[str, Any], groups: int, path: Path) -> Stage:
    """Draws ``groups`` of each N that the slice names."""
    sizes = ",".join(map(str, slice_["responses"]))
    number = str(groups * len(slice_["responses"]))
    options = ("--groups", number, "--responses", sizes, "--seed", str(slice_["data_seed"]))
    return grm(path.stem, "train", "tasks", "--split", split, *options, makes=path)


def scale(name: str, groups: Path, *options: str, makes: Path) -> Stage:
    """Samples groups, and measures what the samples buy."""
    return grm(name, "scale", str(groups), "--cluster", CLUSTER, *options, makes=makes)


def grm(name: str, *arguments: str, makes: Path) -> Stage:
    """A command of ``grm`` that takes ``--out``."""
    return Stage(name, ("grm", *arguments, "--out", str(makes)), makes)


def recipe(name: str, script: str, model: Path, rows: Path, *more: str, makes: Path) -> Stage:
    """A training by ``recipes/spct`` with the settings for this family."""
    options = {
        "--config": f"{HERE}/{script}.yaml",
        "--model_name_or_path": str(model),
        "--data": str(rows),
        "--output_dir": str(makes),
    }
    flat = [text for option in options.items() for text in option]
    return Stage(name, (sys.executable, f"recipes/spct/{script}.py", *flat, *more), makes)
