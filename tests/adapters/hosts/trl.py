"""``GRMReward``, called as TRL's trainers call a reward."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from grm_plugin.plugins import Plugins
from grm_plugin.testing.host import Asked, Datum, Rewards, in_place
from grm_trl import GRMReward


class TRLHost:
    hands_over: frozenset[Datum] = frozenset(["messages", "completions as messages", "reference"])
    abstains = True

    def rewards(
        self,
        asked: Sequence[Asked],
        judge: Plugins,
        *,
        order: Sequence[tuple[int, int]],
        options: Mapping[str, Any],
        config: Mapping[str, Any],
    ) -> Rewards:
        column: dict[str, Any] = {}
        if any(one.reference is not None for one in asked):
            options = {**options, "columns": {"reference": "answer"}}
            column = {"answer": [asked[g].reference for g, _ in order]}
        reward = GRMReward(plugins=judge, **config, **options)
        try:
            found = reward(
                prompts=[asked[g].prompt for g, _ in order],
                completions=[asked[g].completions[n] for g, n in order],
                completion_ids=[[1]] * len(order),
                **column,
            )
        finally:
            reward.close()
        return in_place(asked, order, found)
