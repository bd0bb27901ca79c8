"""The commands of the co-scaling study: scalar RMs, policies, and what they are worth."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grm_plugin.reference.reward_models import SCALAR_MODEL
from recipes.coscaling.plan import (
    DOUBLED,
    EMBEDDED,
    HERE,
    STUDY,
    Arm,
    Plan,
    ScalarTraining,
    kept_folder,
)
from recipes.stages import Stage

_MODULE = "recipes.coscaling"
_READS = f"{HERE}/scalar.txt"


@dataclass(frozen=True)
class Chain:
    """Where a study writes, and what it is about.

    Args:
        out: folder for everything.
        judge: folder of the GRM.
        base: folder of what it was before SPCT.
        meta: folder of its meta RM; None leaves out the arms that need one.
        share: of all training, above 0, at most 1. Below 1 figures are good for trying alone.
        policy: folder of the policy that all runs start from; None for the shipped one.
        plan: file of the plan.
        known: file of runs that are told of already; None: all are run.
    """

    out: Path
    judge: Path
    base: Path
    meta: Path | None = None
    share: float = 1.0
    policy: Path | None = None
    plan: Path = STUDY
    known: Path | None = None

    @property
    def prompts(self) -> Path:
        """The rows that policies are trained on."""
        return self.out / "prompts" / "train.jsonl"

    @property
    def groups(self) -> Path:
        """The groups that scalar RMs are trained on."""
        return self.out / "groups.jsonl"

    def scalar(self, name: object) -> Path:
        """The folder of a scalar RM, by its seed or its start."""
        if name == EMBEDDED:
            return SCALAR_MODEL
        return self.out / "scalar" / str(name)

    def run(self, arm: Arm, seed: int) -> Path:
        """The folder of a policy's training."""
        return self.out / "runs" / arm.name / str(seed)

    def truth(self, arm: Arm, seed: int) -> Path:
        """The file of what a policy was worth."""
        return self.out / "truth" / arm.name / f"{seed}.json"

    @property
    def by_plan(self) -> tuple[str, ...]:
        """What tells a command of a plan that is not the study's own."""
        return () if self.plan == STUDY else ("--plan", str(self.plan))


def data(chain: Chain, settings: Plan, *, scalar: bool) -> list[Stage]:
    """What is drawn once: the prompts, and the groups where a ``scalar`` RM is trained."""
    made = [_prompts(chain, settings)]
    return [*made, _groups(chain, settings.scalar)] if scalar else made


def scalar_rms(
    chain: Chain, training: ScalarTraining, needed: Collection[object]
) -> dict[object, list[Stage]]:
    """What makes each of the scalar RMs with those names."""
    names = [*training.seeds, *training.starts, DOUBLED]
    made = {name: [_scalar(chain, training, name)] for name in names if name in needed}
    if "dense" in made:
        made["dense"].insert(0, _dense(chain, training))
    return made


def _prompts(chain: Chain, settings: Plan) -> Stage:
    asked, folder = settings.prompts, chain.prompts.parent
    options = ("--number", str(asked.number), "--seed", str(asked.seed), "--split", asked.split)
    command = (sys.executable, "-m", "grm_plugin.reference.policy", "prompts", str(folder))
    return Stage("prompts", (*command, *options), chain.prompts)


def _groups(chain: Chain, training: ScalarTraining) -> Stage:
    groups = training.groups
    options = {
        "--split": groups.split,
        "--seed": str(groups.seed),
        "--number": str(max(100, round(groups.number * chain.share))),
        "--sizes": ",".join(map(str, training.sizes)),
        "--out": str(chain.groups),
    }
    flat = [text for option in options.items() for text in option]
    return Stage("groups", (sys.executable, "-m", f"{_MODULE}.groups", *flat), chain.groups)


def _dense(chain: Chain, training: ScalarTraining) -> Stage:
    made, seed = chain.scalar("dense_trunk"), str(training.seeds[0])
    command = (sys.executable, "-m", f"{_MODULE}.dense", str(chain.groups))
    options = ("--base", str(chain.judge), "--seed", seed, "--out", str(made))
    return Stage("dense trunk", (*command, *options), made)


def _scalar(chain: Chain, training: ScalarTraining, name: object) -> Stage:
    starts = {"base": chain.base, "dense": chain.scalar("dense_trunk")}
    start = starts.get(str(name), chain.judge)
    seed = name if name in training.seeds else training.seeds[0]
    chosen = dict(training.options)
    if name == DOUBLED:
        chosen["epochs"] *= 2
    options = [text for key, value in chosen.items() for text in (f"--{key}", f"{value:g}")]
    command = ("grm", "train", "scalar", str(chain.groups), "--base", str(start))
    more = ("--template", _READS, "--seed", str(seed), *options)
    made = chain.scalar(name)
    return Stage(f"scalar RM {name}", (*command, *more, "--out", str(made)), made)


def policy(chain: Chain, settings: Plan, arm: Arm, seed: int) -> Stage:
    """The training of one policy."""
    folder, steps = chain.run(arm, seed), settings.steps(arm, chain.share)
    options = {
        "--judge": arm.settings,
        "--data": str(chain.prompts),
        "--output_dir": str(folder),
        "--seed": str(seed),
        **_of_trainer(chain, settings, arm, steps),
    }
    flat = [text for option in options.items() for text in option]
    module = "policy" if arm.trainer == "trl" else arm.trainer
    command = (sys.executable, "-m", f"{_MODULE}.{module}", *flat, *_models(chain, arm, seed))
    asked = tuple(chain.scalar(name) for name in arm.asks(seed))
    return Stage(f"{arm.name} {seed}", command, kept_folder(folder, steps), asked)


def _of_trainer(chain: Chain, settings: Plan, arm: Arm, steps: int) -> dict[str, str]:
    """The options that one of the two trainers has alone."""
    if arm.trainer == "openrlhf":
        return {"--rounds": str(steps // settings.updates)}
    start = {} if chain.policy is None else {"--model_name_or_path": str(chain.policy)}
    return {
        "--config": f"{HERE}/grpo.yaml",
        **start,
        **{f"--{name}": f"{value}" for name, value in settings.trl.items()},
        "--beta": f"{arm.beta:g}",
        "--max_steps": str(steps),
        "--keep_steps": str(settings.kept * settings.updates),
    }


def _models(chain: Chain, arm: Arm, seed: int) -> list[str]:
    """Options that name the models of an arm."""
    parts, classifier = arm.parts, arm.classifier
    asked = [str(chain.scalar(name)) for name in arm.asks(seed)]
    found = []
    if "engine" in parts:
        found.append(f"engine.model={chain.judge}")
    if _control_has_engine(parts):
        found.append(f"watch.control.judge.engine.model={chain.base}")
    if arm.needs_meta:
        found.append(f"select.classifier.model={chain.meta}")
    if classifier.get("name") == "ensemble":
        found.append(f"scalar.classifier.models=[{', '.join(asked)}]")
    elif asked and not classifier.get("reload"):
        found.append(f"scalar.classifier.model={asked[0]}")
    refresh = ["--refresh", asked[0]] if classifier.get("reload") else []
    if arm.trainer == "openrlhf":
        return [text for setting in found for text in ("--set", setting)]
    return [*refresh, *(["--set", *found] if found else [])]


def _control_has_engine(parts: Mapping[str, Any]) -> bool:
    control = parts.get("watch", {}).get("control", {})
    return "engine" in control.get("judge", {})


def measuring(chain: Chain, arm: Arm, seed: int, trained: Stage) -> Stage:
    """What a trained policy is worth."""
    made = chain.truth(arm, seed)
    command = (sys.executable, "-m", f"{_MODULE}.measure", str(chain.run(arm, seed)))
    uses = (trained.makes,)
    options = ("--out", str(made), *chain.by_plan)
    return Stage(f"truth {arm.name} {seed}", (*command, *options), made, uses)


def figures(chain: Chain, made: Sequence[Stage]) -> Stage:
    """What the whole study came to."""
    out = chain.out / "figures.json"
    command = (sys.executable, "-m", f"{_MODULE}.figures", str(chain.out), "--out", str(out))
    makes = tuple(stage.makes for stage in made)
    known = ("--known", str(chain.known)) if chain.known else ()
    return Stage("figures", (*command, *chain.by_plan, *known), out, makes, anew=True)
