"""What the launcher tells the rollout actors: one JSON text in their environment.

The text holds the content of the configuration, not its path, so that it is the same on every
node. Ray shows it in its dashboard: keys stay in environment variables of their own.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from grm_plugin.config import GRMConfig
from grm_plugin.errors import ConfigError
from grm_plugin.options import Options
from grm_plugin.problems import explain
from grm_plugin.types import Cost

ENV = "GRM_OPENRLHF"


Label = Literal["conversation", "reference", "ignore"]


class RunSettings(Options):
    """One training run as a rollout actor needs to know it.

    Args:
        config: what was set of the judge's configuration, as JSON values.
        template: the text of a prompt template that is a file.
        label: what the host's label is to the judge.
        own_label: whether the label is there for the judge alone, so that nobody else may see it.
        own_agent: the user's agent file, whose last action is judged.
        temperature: of rollouts in training.
        groups_per_step: prompts of a training step for one rollout actor, rounded up.
        first_step: training steps that were over before, when a run is resumed.
        seen: what each of them said of the metric that the schedule goes by; None: nothing.
        spent: what a rollout actor's share of their cost is, where there is a budget.
        reward_range: lowest and highest reward of a group.
        filtering: whether the host drops training groups by their scores.
        ledger: whether the launcher keeps a ledger for all actors.
        agreed: what the launcher found that every actor has to find too; see :mod:`.agreement`.
    """

    config: Mapping[str, Any]
    template: str | None = None
    label: Label = "ignore"
    own_label: bool = False
    own_agent: Path | None = None
    temperature: float = 1.0
    groups_per_step: int = 1
    first_step: int = 0
    seen: tuple[float | None, ...] = ()
    spent: Cost = Cost()
    reward_range: tuple[float, float] = (0.0, 1.0)
    filtering: bool = False
    ledger: bool = False
    agreed: Mapping[str, str] = Field(default_factory=dict)

    @classmethod
    def from_environment(cls) -> RunSettings:
        """What the launcher wrote.

        Raises:
            ConfigError: nothing is there, or something that this version does not read.
        """
        text = os.environ.get(ENV)
        if text is None:
            raise ConfigError(
                f"the environment variable {ENV} is not set; start the run with "
                "python -m grm_openrlhf.train_ppo_ray"
            )
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise ConfigError(explain(ENV, cls, error)) from None

    def judge_config(self) -> GRMConfig:
        """The configuration of the judge, without what only this node can say."""
        return GRMConfig.model_validate(dict(self.config))
