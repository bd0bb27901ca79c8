"""The stages of SPCT on the reference family, from the base model to a judge with its meta RM."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from recipes.spct.stages import Stage

HERE = Path("recipes/spct/reference")
_SFT, _GRPO = ("recipes/spct/sft.py", "recipes/spct/grpo.py")
_RL_STEPS = 300


@dataclass(frozen=True)
class Chain:
    """Where a chain writes, and how much of it is done.

    Args:
        out: folder for what the seeds share, the base and the tasks; each seed has one in it.
        seed: decides everything that is drawn after the base.
        base: folder of a trained base; None trains one.
        share: of the groups and of the RL steps, above 0, at most 1. Below 1 the judges are good
            for trying the chain and for nothing else.
    """

    out: Path
    seed: int = 1
    base: Path | None = None
    share: float = 1.0

    @property
    def own(self) -> Path:
        """The folder for what this seed makes."""
        return self.out / f"seed{self.seed}"

    @property
    def start(self) -> Path:
        """The folder of the base."""
        return self.base or self.out / "base"

    def part(self, number: int) -> int:
        """The share of ``number``, 1 and more."""
        return max(1, round(number * self.share))


def plan() -> Mapping[str, Any]:
    """The sizes and seeds of study.yaml."""
    found: Mapping[str, Any] = yaml.safe_load((HERE / "study.yaml").read_text(encoding="utf-8"))
    return found


def judge(model: Path, seed: int) -> tuple[str, ...]:
    """The options that name ``model`` as the judge."""
    return ("--config", f"{HERE}/judge.yaml", "--model", str(model), "--seed", str(seed))


def tasks(slice_: Mapping[str, Any], split: str, groups: int, path: Path) -> Stage:
    """Draws the groups of one slice, ``groups`` of each N that it names."""
    sizes = ",".join(map(str, slice_["responses"]))
    options = ("--groups", str(groups), "--responses", sizes, "--seed", str(slice_["data_seed"]))
    return _grm(path.stem, "train", "tasks", "--split", split, *options, makes=path)


def shared(chain: Chain) -> list[Stage]:
    """What is made once for all seeds: the base and the groups of split ``spct``."""
    train, tune = plan()["train"], plan()["tune"]
    made = [
        tasks(train, "spct", chain.part(train["groups"]), chain.out / "train.jsonl"),
        tasks(tune, "spct", chain.part(tune["groups"]), chain.out / "tune.jsonl"),
    ]
    base = _grm("base", "train", "reference", makes=chain.start)
    return made if chain.base else [base, *made]


def training(chain: Chain) -> list[Stage]:
    """Base to RFT to RL, for one seed."""
    own, rm, seed = chain.own, chain.out / "train.jsonl", str(chain.seed)
    drawn, kept, easy = own / "trajectories", own / "sft.jsonl", own / "easy.jsonl"
    rft, rows, rl = own / "rft", own / "rl.jsonl", own / "rl"
    asked = judge(chain.start, chain.seed)
    steps = ("--max_steps", str(chain.part(_RL_STEPS)))
    return [
        _grm("sample", "train", "sample", str(rm), "-n", "3", *asked, makes=drawn),
        _grm("reject", "train", "reject", str(drawn), "--easy", str(easy), makes=kept),
        _recipe("rft", _SFT, "sft.yaml", chain.start, kept, seed, makes=rft),
        _grm("rows", "train", "rl-data", str(rm), "--easy", str(easy), "--seed", seed, makes=rows),
        _recipe("rl", _GRPO, "grpo.yaml", rft, rows, seed, *steps, makes=rl),
    ]


def meta(chain: Chain) -> list[Stage]:
    """The meta RM of the trained judge, and what is chosen on the tuning slice."""
    own, rl = chain.own, chain.own / "rl"
    again, rows, rm = own / "again", own / "meta.jsonl", own / "meta"
    asked = judge(rl, chain.seed)
    before, after = (folder / "plain.jsonl" for folder in (own / "trajectories", again))
    train = ("train", "sample", str(chain.out / "train.jsonl"), "-n", "3", "--no-hinted")
    return [
        _grm("again", *train, *asked, makes=again),
        _grm("meta-rows", "train", "meta-data", str(before), str(after), makes=rows),
        _grm("meta", "train", "meta", str(rows), "--base", str(rl), makes=rm),
    ]


def _grm(name: str, *arguments: str, makes: Path) -> Stage:
    return Stage(name, ("grm", *arguments, "--out", str(makes)), makes)


def _recipe(
    name: str, script: str, settings: str, model: Path, rows: Path, *more: str, makes: Path
) -> Stage:
    seed, *others = more
    options = {
        "--config": f"{HERE}/{settings}",
        "--model_name_or_path": str(model),
        "--dataset_name": str(rows),
        "--output_dir": str(makes),
        "--seed": seed,
    }
    flat = [part for option in options.items() for part in option]
    return Stage(name, (sys.executable, script, *flat, *others), makes)
