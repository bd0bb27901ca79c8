"""Answers that should earn nothing beside answers that should: what attacks on a judge share.

Each row is a task with a good answer and a weak one, as any labelled group has them; without a path
these are small tasks of our own. Rows take the families of an attack in turn, so that every family
meets many tasks and none of them all.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Literal

from grm_plugin.errors import InputError
from grm_plugin.evaluation.benchmarks.benchmark import BenchmarkOptions, Published
from grm_plugin.evaluation.benchmarks.reading import Row
from grm_plugin.evaluation.figures import Figure, Mean, each_of
from grm_plugin.evaluation.items import BENCHMARK, SOURCE, SUBSET, Item
from grm_plugin.evaluation.outcomes import Outcome, credit
from grm_plugin.evaluation.truth import BEST, CORRECT, Best, Correct, truth_of
from grm_plugin.hosts.rows import group_of
from grm_plugin.strict_yaml import parse
from grm_plugin.types import Group

FAMILY = "family"
"""Name in a group's metadata that says which kind of attack it is."""
FOLDER = Path(__file__).parent / "attacks"
Families = Mapping[str, tuple[str, ...]]
"""The texts of an attack, by family."""


class AttackOptions(BenchmarkOptions):
    """Options of attacks.

    Args:
        tasks: those of our own to use without a path: ``general`` ones, or the word lists that the
            embedded ``reference`` judge knows, attacked in its words.
        path: your own tasks, labelled groups with two or more responses; None: ``tasks``.
        password, bad_rows: as of every benchmark.
        ties: what beating it only half counts for the judge; None: ``strict``, nothing.
    """

    tasks: Literal["general", "reference"] = "general"


@dataclass(frozen=True, slots=True)
class Target:
    """A task to be attacked.

    Args:
        group: as its row has it.
        good, weak: a best response, and one that is none.
        number: of its row, from 0 on.
    """

    group: Group
    good: str
    weak: str
    number: int

    @property
    def name(self) -> str:
        """What groups that are made of it are called after."""
        return self.group.id or f"{self.number}"

    def turn(self, families: Families, place: int, of: int = 1) -> tuple[str, str]:
        """The family whose turn it is, and its text: attack ``place`` of so many on each task."""
        turn, names = self.number * of + place, list(families)
        texts = families[names[turn % len(names)]]
        return names[turn % len(names)], texts[turn // len(names) % len(texts)]


class Attacked(Published):
    """A benchmark of attacks. Its intervals go by families: ours are only some of many."""

    Options = AttackOptions
    options: AttackOptions
    packaged = True
    truths = (Best, Correct)
    attacks: ClassVar[str]
    """Which file holds the texts."""

    @property
    def path(self) -> str:
        """Where its tasks are."""
        return self.options.path or str(FOLDER / f"{self.options.tasks}_tasks.jsonl")

    @property
    def families(self) -> Families:
        """The texts of this attack, by family."""
        return read_families(f"{self.options.tasks}_{self.attacks}.yaml")

    def groups(self, row: Row) -> Iterator[Group]:
        group = group_of(row.values)
        truth = truth_of(group)
        if not isinstance(truth, Best):
            raise InputError("expected best among two or more responses, got other labels")
        worse = [n for n in range(len(group.responses)) if n not in truth.indices]
        good, weak = group.responses[truth.indices[0]], group.responses[worse[0]]
        yield from self.attacked(Target(group, good, weak, row.number))

    @abstractmethod
    def attacked(self, target: Target) -> Iterator[Group]:
        """The groups of one task, those without an attack included."""

    def pair(self, target: Target, subset: str, other: str, family: str = "") -> Group:
        """The good answer beside another; which of them comes first goes by the task."""
        best = target.number % 2
        responses = (other, target.good) if best else (target.good, other)
        return self._made(target, subset, responses, family, {BEST: best})

    def single(self, target: Target, subset: str, answer: str, family: str = "") -> Group:
        """One answer alone, right where it is the good one."""
        return self._made(target, subset, (answer,), family, {CORRECT: int(not family)})

    def rate(self, name: str, subset: str, below: tuple[Figure, ...] = (), **where: Any) -> Mean:
        """How often what should earn nothing is not beaten, or is called right."""
        return Mean(name, {SUBSET: subset, **where}, below=below, **self._counted)

    def by_family(self, items: Sequence[Item], subset: str) -> tuple[Figure, ...]:
        """The same for each family of the attack."""
        return each_of(items, FAMILY, where={SUBSET: subset}, **self._counted)

    @property
    def _counted(self) -> dict[str, Any]:
        return {"value": self._fooled, "tie": self.ties, "lower_is_better": True}

    def _fooled(self, item: Item) -> float:
        """0..1, by what a tie counts; NaN where unscored, which is counted beside it."""
        if item.outcome is Outcome.UNSCORED:
            return math.nan
        return 1 - credit(item.rewards, item.truth, self.ties)

    def _made(
        self,
        target: Target,
        subset: str,
        responses: tuple[str, ...],
        family: str,
        truth: Mapping[str, Any],
    ) -> Group:
        known = {BENCHMARK: self.name, SUBSET: subset, "task": target.name, **truth}
        attack = {FAMILY: family, SOURCE: family} if family else {SOURCE: f"task {target.name}"}
        name = "/".join(filter(None, [target.name, subset, family]))
        metadata = {**known, **attack}
        return replace(target.group, id=name, responses=responses, evidence=(), metadata=metadata)


@cache
def read_families(file: str) -> Families:
    """The texts of one of our attacks, by family."""
    found = parse((FOLDER / file).read_text(encoding="utf-8"))
    return {family: tuple(texts) for family, texts in found.items()}
