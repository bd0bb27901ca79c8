"""grm-plugin for TRL: a judge where ``reward_funcs`` takes a reward.

In Python::

    trainer = GRPOTrainer(model, reward_funcs=[GRMReward("judge.yaml")], ...)

In a YAML file for ``trl grpo --config``::

    reward_funcs: [grm_trl.grm_reward]
    env: {GRM_CONFIG: judge.yaml}

``grm_reward`` is a ready :class:`GRMReward`, made when it is first asked for; so is
``outcome_reward``, an :class:`OutcomeReward` for training a judge itself.
"""

from __future__ import annotations

from typing import Any

from grm_trl.errors import RankError, UnscoredError
from grm_trl.joining import abstaining
from grm_trl.outcome import OutcomeReward
from grm_trl.reward import AsyncGRMReward, GRMReward

__all__ = [
    "AsyncGRMReward",
    "GRMReward",
    "OutcomeReward",
    "RankError",
    "UnscoredError",
    "abstaining",
    "grm_reward",
    "outcome_reward",
]

_READY = {"grm_reward": GRMReward, "outcome_reward": OutcomeReward}


def __getattr__(name: str) -> Any:
    if name not in _READY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = reward = _READY[name]()
    return reward
