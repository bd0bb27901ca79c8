"""What the co-scaling study runs: study.yaml, read and checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from grm_plugin.options import Options, read_options, read_yaml
from grm_plugin.reference.tasks.words import Split

HERE = Path("recipes/coscaling")
STUDY = HERE / "study.yaml"
CHECKER = "checker"
DOUBLED = "doubled"
"""The scalar RM of the first seed with twice the passes: it tells how flat the others are."""
Slice = Literal["tune", "heldout"]
Start = Literal["base", "dense"]
EMBEDDED = "embedded"
"""The scalar RM that is shipped: of seed 3, and trained already."""


class Queries(Options):
    """Queries, or groups, of one split.

    Args:
        split: of words and phrasings.
        seed: decides them.
        number: how many.
    """

    split: Split
    seed: int
    number: int = Field(ge=1)


class ScalarTraining(Options):
    """How the scalar RMs are trained.

    Args:
        groups: that they learn from.
        sizes: N of the groups, in turn.
        seeds: of those that start from the judge's own weights.
        starts: of the others, which have the first seed: ``base``, the weights from before SPCT;
            ``dense``, the judge's after training on each requirement by itself.
        options: of ``grm train scalar``, without the two dashes.
        doubled: whether one more is trained with twice the passes, to tell how flat the others are.
    """

    groups: Queries
    sizes: tuple[int, ...]
    seeds: tuple[int, ...] = Field(min_length=1)
    starts: tuple[Start, ...] = ()
    options: dict[str, float]
    doubled: bool = True


class Arm(Options):
    """One way to reward the policy.

    Args:
        name: of its runs, and of its judge settings in ``arms/`` unless ``judge`` says another.
        seeds: how many, from 1 on.
        judge: name of the settings.
        rounds: how long it is trained; default: as long as all are compared.
        beta: of the KL term.
        scalar: the scalar RMs that it may ask, by seed or start, one after the other over its
            seeds; an ensemble asks all of them. ``embedded`` is the one that is shipped.
        trainer: of the policy.
        cut: it is run only where it is named.
    """

    name: str
    seeds: int = Field(ge=1)
    judge: str = ""
    rounds: int = Field(0, ge=0)
    beta: float = Field(0.0, ge=0)
    scalar: tuple[int | Start | Literal["embedded"], ...] = ()
    trainer: Literal["trl", "openrlhf"] = "trl"
    cut: bool = False

    @property
    def settings(self) -> str:
        """The file of its judge settings, or ``checker``."""
        judge = self.judge or self.name
        return judge if judge == CHECKER else f"{HERE}/arms/{judge}.yaml"

    @property
    def parts(self) -> Mapping[str, Any]:
        """What its judge settings say; nothing of the checker."""
        return {} if self.settings == CHECKER else read_yaml(Path(self.settings))

    @property
    def classifier(self) -> Mapping[str, Any]:
        """The scalar RM in its judge settings; nothing where there is none."""
        found: Mapping[str, Any] = self.parts.get("scalar", {}).get("classifier", {})
        return found

    def asks(self, seed: int) -> tuple[int | str, ...]:
        """The scalar RMs that the run with a seed asks, by seed or start."""
        if not self.scalar or self.classifier.get("name") == "ensemble":
            return self.scalar
        return (self.scalar[(seed - 1) % len(self.scalar)],)

    @property
    def needs_meta(self) -> bool:
        """Whether its judge asks a meta RM."""
        return "classifier" in self.parts.get("select", {})


class Plan(Options):
    """The whole study.

    Args:
        trl: options of TRL for every policy, over those of grpo.yaml.
        prompts: that policies are trained on.
        queries: that they are measured on.
        rounds: after which all arms are compared.
        updates: optimizer steps a round.
        responses: that are rewarded in a round.
        kept: rounds between weights that are kept.
        averaged: kept weights that are averaged before they are measured.
        edge: rounds that are the start, and the end, of a run.
        scalar: the scalar RMs.
        arms: by worth.
    """

    trl: dict[str, float | bool] = Field(default_factory=dict)
    prompts: Queries
    queries: dict[Slice, Queries]
    rounds: int = Field(ge=1)
    updates: int = Field(ge=1)
    responses: int = Field(ge=1)
    kept: int = Field(ge=1)
    averaged: int = Field(ge=1)
    edge: int = Field(ge=1)
    scalar: ScalarTraining
    arms: tuple[Arm, ...]

    def steps(self, arm: Arm, share: float = 1.0) -> int:
        """Optimizer steps of the ``share`` of a run of ``arm``; weights are kept after the last."""
        rounds = (arm.rounds or self.rounds) * share
        return self.updates * self.kept * max(1, round(rounds / self.kept))

    def runs(self) -> Sequence[tuple[Arm, int]]:
        """Every arm and seed in the order in which they are run.

        Arms with the most seeds come first, a seed of each in turn; then arm by arm.
        """
        most = max(arm.seeds for arm in self.arms)
        first = [arm for arm in self.arms if arm.seeds == most]
        others = [arm for arm in self.arms if arm.seeds < most]
        return [
            *((arm, seed) for seed in range(1, most + 1) for arm in first),
            *((arm, seed) for arm in others for seed in range(1, arm.seeds + 1)),
        ]


@cache
def plan(path: Path = STUDY) -> Plan:
    """The plan in a file.

    Raises:
        ConfigError: names the file and what is wrong in it.
    """
    return read_options(Plan, f"plan {path}", read_yaml(path))


def kept_folder(run: Path, step: int | None = None) -> Path:
    """Where a run keeps its weights, or those after ``step`` optimizer steps."""
    return run / "kept" if step is None else run / "kept" / f"{step:05d}"


def kept_steps(run: Path) -> list[int]:
    """The steps of which a run kept the weights, rising."""
    return sorted(int(one.name) for one in kept_folder(run).glob("*") if one.name.isdecimal())
