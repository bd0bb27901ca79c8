"""A folder of trajectories: how they are sampled, and in which files they stand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grm_plugin.config import GRMConfig
from grm_plugin.errors import ConfigError, InputError, quoted
from grm_plugin.options import Part
from grm_plugin.spct import hinting
from grm_plugin.spct.examples import Datum

CONTROL_TOKENS = "control_tokens.json"
"""The file of texts that the judge's tokenizer takes for control tokens, if there are unusual."""
_SINGLES = {"grm": "grm-single"}
"""Templates for one response that is right or wrong, by the template for groups."""


@dataclass(frozen=True, slots=True)
class Sort:
    """One sort of trajectories, which has a file of its own.

    Args:
        hinted: whether the judge was told the label.
        single: of one response that is right or wrong; else of N >= 2.
    """

    hinted: bool
    single: bool

    @property
    def name(self) -> str:
        """How people call it."""
        return f"{'hinted' if self.hinted else 'plain'}{'-singles' if self.single else ''}"

    def path(self, folder: Path) -> Path:
        """Its file in a folder of trajectories."""
        return folder / f"{self.name}.jsonl"

    def takes(self, datum: Datum) -> bool:
        """Whether a datum is sampled for it."""
        return (len(datum.group.responses) == 1) == self.single


SORTS = tuple(Sort(hinted, single) for hinted in (False, True) for single in (False, True))


def files_in(folder: Path) -> Iterator[tuple[Sort, Path]]:
    """The files of trajectories in a folder.

    Raises:
        InputError: there is none that holds anything but hinted ones.
    """
    found = [(sort, sort.path(folder)) for sort in SORTS if sort.path(folder).is_file()]
    if all(sort.hinted for sort, _ in found):
        names = " or ".join(str(sort.path(folder)) for sort in SORTS if not sort.hinted)
        raise InputError(
            f"{folder}: expected trajectories in {names}, got none; `grm train sample RM.jsonl "
            f"--out {folder}` writes them"
        )
    return iter(found)


def control_tokens(folder: Path) -> list[str]:
    """The unusual control tokens of the judge that wrote the trajectories in a folder.

    Raises:
        ConfigError: the file holds something else.
    """
    path = folder / CONTROL_TOKENS
    if not path.is_file():
        return []
    found = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise ConfigError(f"{path}: expected a list of texts, got {quoted(found)}")
    return found


def sampling(config: GRMConfig, sort: Sort, *, samples: int, single: str | None) -> GRMConfig:
    """How trajectories of a sort are drawn: each in an order of its own, and none is chosen.

    Args:
        config: the judge; how it votes, selects and stops does not matter here.
        sort: which trajectories.
        samples: how many of each datum; of the hinted there is one.
        single: the template for single responses; None for the one that goes with that of groups.

    Raises:
        ConfigError: no template is known for single responses.
    """
    hint = (Part(name=hinting.NAME),) if sort.hinted else ()
    return config.but(
        k=1 if sort.hinted else samples,
        # a hinted sample shall not have the order of the first plain one
        seed=config.seed + sort.hinted,
        template=_for_one(config, single) if sort.single else config.template,
        contract=None if sort.single else config.contract,
        evidence=(*config.evidence, *hint),
        min_valid=1,
        permutations=None,
        schedule=None,
        plan=None,
        select="all",
        stop="fixed",
        vote="mean",
        find_culprits=0,
        over_context="refuse",
        record=None,
    )


def _for_one(config: GRMConfig, single: str | None) -> str:
    name = config.template or "grm"
    if single is None and name not in _SINGLES:
        raise ConfigError(
            f"template {name!r} is for groups, and there are single responses in the data; name a "
            "template that scores one response 0 or 1 with --single, or leave the singles out"
        )
    return single or _SINGLES[name]
