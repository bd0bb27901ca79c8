"""The range of rewards, told by what made them: of a judge, and of a verdict on record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grm_plugin.grm import GRM
from grm_plugin.pipeline.scalar_voting import ScalarRule
from grm_plugin.pipeline.voting import TO_UNIT
from grm_plugin.types import Scale

Range = tuple[float, float]
UNIT: Range = (0.0, 1.0)


def reward_range(origin: Mapping[str, Any], scale: Scale | None = None) -> Range | None:
    """Lowest and highest reward of a group; None where that is not known, as of logits.

    Args:
        origin: what made the reward, as records tell it.
        scale: of one score of the judge, in points; None: not known, and so no range of sums.

    >>> reward_range({"vote": "sum", "k": 4}, Scale(1, 10)), reward_range({"vote": "borda"})
    ((4.0, 40.0), (0.0, 1.0))
    >>> reward_range({"vote": "sum", "k": 4, "scalar": {"use": "alone"}})
    (0.0, 1.0)
    """
    vote, scalar = origin.get("vote"), origin.get("scalar")
    rule = ScalarRule.on_record(origin, str(vote))
    if rule.raw:
        return None
    if vote in TO_UNIT or (isinstance(scalar, Mapping) and scalar.get("use") == "alone"):
        return UNIT
    if vote != "sum" or scale is None:
        return None
    votes = origin["k"] + rule.weight
    return votes * scale.low, votes * scale.high


def ranges(judge: GRM) -> list[Range]:
    """The range of rewards at each size that groups may have; empty where it is not known."""
    config, scale = judge.config, judge.template.scale
    later = config.schedule.every_size().values() if config.schedule else ()
    found = [reward_range({**judge.origin, "k": size.k}, scale) for size in (config.size, *later)]
    return [one for one in found if one is not None]
