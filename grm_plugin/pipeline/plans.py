"""Which responses one call shows: all of them, one, or two. Everything becomes runs."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from grm_plugin.contracts.contract import Shows
from grm_plugin.errors import ConfigError, InputError, RecordError, unknown
from grm_plugin.options import Options, Part, read_options
from grm_plugin.pipeline.aggregating import Aggregate, bradley_terry, mean_margin, mean_of_runs
from grm_plugin.pipeline.case import Run
from grm_plugin.pipeline.planning import digest

Scheme = Literal["circular", "all", "pivot"]
_USUAL: dict[Shows, str] = {"list": "list", "each": "each", "pair": "pairs"}
_AGGREGATES: dict[str, Aggregate] = {"margin": mean_margin, "bradley_terry": bradley_terry}


class PairOptions(Options):
    """How a pair judge meets a group of N responses.

    Args:
        scheme: `circular` is a ring of N pairs, `all` are N (N - 1) / 2, `pivot` compares one
            response, drawn by the seed, with the N - 1 others.
        aggregate: `margin` is the mean margin over the pairs of a response, `bradley_terry` fits
            strengths to all pairs.
    """

    scheme: Scheme = "circular"
    aggregate: Literal["margin", "bradley_terry"] = "margin"


_RING = PairOptions()


@dataclass(frozen=True)
class Plan:
    """How a group becomes runs, and how their rewards meet.

    Args:
        name: `list`, `each` or `pairs`.
        pairs: the options of `pairs`.
    """

    name: str
    pairs: PairOptions = _RING

    @property
    def together(self) -> int | None:
        """How many responses one call shows; None: all of a group."""
        return {"list": None, "each": 1, "pairs": 2}[self.name]

    @property
    def aggregate(self) -> Aggregate:
        """How the rewards of runs become those of the group."""
        return _AGGREGATES[self.pairs.aggregate] if self.name == "pairs" else mean_of_runs

    @property
    def written(self) -> object:
        """As people write it, with every option: for records."""
        return {"name": self.name, **self.pairs.model_dump()} if self.name == "pairs" else self.name

    def check_recorded(self, recorded: object, asked: Part | None) -> None:
        """Refuse to vote again on runs that another plan made.

        Args:
            recorded: the plan of the record, as :attr:`written`; None is not known.
            asked: what the settings say; an aggregate that they name may differ from the record's.

        Raises:
            RecordError: says what was recorded, and what to write.
        """
        now, then = self.written, recorded
        if isinstance(now, dict) and (then == "pairs" or isinstance(then, Mapping)):
            named = then if isinstance(then, Mapping) else {"name": then}
            then = {**PairOptions().model_dump(), **named}
            if asked and "aggregate" in asked.options:
                then["aggregate"] = now["aggregate"]
        if recorded is not None and now != then:
            raise RecordError(
                f"judged with the plan {recorded}, and the settings say {now}: the rewards would "
                f"mean something else; replay with plan: {recorded} and the contract of the record"
            )

    def runs(self, members: Sequence[int], seed: str) -> tuple[Run, ...]:
        """The runs of the responses ``members``; ``seed`` decides ring and pivot.

        Raises:
            InputError: pairs of fewer than two responses.
        """
        if self.name == "list":
            return (tuple(members),)
        if self.name == "each":
            return tuple((n,) for n in members)
        if len(members) < 2:
            raise InputError(
                f"a pair judge needs two different responses to compare, got {len(members)}"
            )
        return _pairs(members, self.pairs.scheme, random.Random(digest(f"{seed}:pairs")))


def read_plan(part: Part | None, shows: Shows) -> Plan:
    """The plan that ``part`` names; None is the usual one of a contract that ``shows`` so many.

    Raises:
        ConfigError: there is no such plan, its options are wrong, or it does not fit the contract.
    """
    name, options = (part.name, part.options) if part else (_USUAL[shows], {})
    if name not in _USUAL.values():
        raise ConfigError(f"plan: {unknown('plan', name, _USUAL.values())}")
    if name != _USUAL[shows] and not (shows == "list" and name in ("each", "pairs")):
        raise ConfigError(
            f"plan: expected {_USUAL[shows]!r} for a contract that reads {shows} answers, "
            f"got {name!r}"
        )
    if name == "pairs":
        return Plan(name, read_options(PairOptions, "plan 'pairs'", options))
    read_options(Options, f"plan {name!r}", options)
    return Plan(name)


def _pairs(members: Sequence[int], scheme: Scheme, rng: random.Random) -> tuple[Run, ...]:
    ring = rng.sample(members, len(members))
    if scheme == "all":
        return tuple(itertools.combinations(sorted(members), 2))
    if scheme == "pivot" or len(ring) == 2:
        pivot, *others = ring
        return tuple(_sorted(pivot, other) for other in sorted(others))
    return tuple(_sorted(one, other) for one, other in zip(ring, [*ring[1:], ring[0]], strict=True))


def _sorted(one: int, other: int) -> Run:
    return (min(one, other), max(one, other))
