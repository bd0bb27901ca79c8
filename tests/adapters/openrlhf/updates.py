"""What the host's own code makes of rollouts: its experiences, its filter, its advantages.

The models are left out: no KL to a reference, and values of a critic that knows nothing yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import torch
from openrlhf.models.loss import PolicyLoss
from openrlhf.trainer.ppo_trainer import compute_eval_metrics
from openrlhf.trainer.ppo_utils import samples_generator
from openrlhf.trainer.ppo_utils.experience_maker import RemoteExperienceMaker

VALUE = 0.4  # of the critic, everywhere
Output = dict[str, Any]


@dataclass(frozen=True)
class Updated:
    """A response as it reaches the policy update.

    Args:
        advantages: of its tokens that have weight.
        weight: share of the tokens that the update averages over.
        gradient: sum over its tokens of what the loss has as gradient of their logarithm.
    """

    advantages: list[float]
    weight: float
    gradient: float

    @property
    def advantage(self) -> float:
        """That of its first token with weight."""
        return self.advantages[0]


@dataclass
class Trainer:
    """A trainer with one estimator, for groups of ``samples`` responses."""

    estimator: str
    samples: int
    tokenizer: Any
    no_std_norm: bool = False
    loss_mean: str = "token-mean"
    penalties: dict[str, float] = field(default_factory=dict)

    def update(self, outputs: Sequence[Output]) -> list[Updated]:
        """The responses of all groups, in their order."""
        maker = object.__new__(RemoteExperienceMaker)
        maker.args, maker.advantage_estimator = self._arguments(), self.estimator
        maker.strategy = SimpleNamespace(args=maker.args)
        maker.tokenizer, maker.kl_ctl = self.tokenizer, SimpleNamespace(value=0.0)
        made = maker.split_rollout_samples(experiences(outputs))
        for one in made:
            one.kl = torch.zeros_like(one.action_mask, dtype=torch.float)
            one.values = torch.full_like(one.kl, VALUE)
        made = maker.compute_advantages_and_returns(made)
        tokens = sum(int(one.action_mask.sum()) for one in made)
        return [row for one in made for row in self._rows(one, tokens, len(outputs))]

    def _rows(self, one: Any, tokens: int, responses: int) -> list[Updated]:
        ours = torch.zeros_like(one.advantages, requires_grad=True)
        loss = PolicyLoss(token_level_loss=self.loss_mean == "token-mean")
        found = loss(
            *(ours, torch.zeros_like(ours), one.advantages),
            action_mask=one.action_mask,
            batch_num_tokens=tokens,
            global_batch_size=responses,
        )
        found[0].backward()
        mask = one.action_mask.bool()
        return [
            Updated(advantages[own].tolist(), own.sum().item() / tokens, gradient.sum().item())
            for advantages, own, gradient in zip(one.advantages, mask, ours.grad, strict=True)
        ]

    def _arguments(self) -> Any:
        advantage = SimpleNamespace(
            estimator=self.estimator, gamma=1.0, lambd=0.95, no_std_norm=self.no_std_norm
        )
        return SimpleNamespace(
            algo=SimpleNamespace(advantage=advantage),
            reward=SimpleNamespace(clip_range=(-10, 10), **self.penalties),
            rollout=SimpleNamespace(
                n_samples_per_prompt=self.samples,
                micro_batch_size=self.samples,
                max_new_tokens=16,
            ),
            train=SimpleNamespace(dynamic_batch_enable=False),
        )


def experiences(outputs: Sequence[Output]) -> list[Any]:
    """Outputs of the executor as the host's experiences."""
    generator = object.__new__(samples_generator.SamplesGenerator)
    return [generator._process_response_into_experience(output, max_len=512) for output in outputs]


def filtered(groups: Sequence[Sequence[Output]], monkeypatch: Any, wanted: int) -> list[Any]:
    """What is left of ``groups``, which come in turn, of ``wanted`` prompts a batch."""
    ray = SimpleNamespace(
        wait=lambda refs, **_: (refs[:1], refs[1:]),
        get=lambda ref: ref,
    )
    monkeypatch.setattr(samples_generator, "ray", ray)
    generator = object.__new__(samples_generator.SamplesGenerator)
    generator.args = SimpleNamespace(algo=SimpleNamespace(dynamic_filtering_range=(0, 1)))
    generator._dispatch_prompts_to_vllm = lambda prompts, *_, **__: list(prompts)
    prompts = iter([("", [group], [""], [None]) for group in groups])
    found, _, _ = generator._generate_vllm(prompts, wanted, dynamic_filtering=True, max_len=512)
    return list(found)


def evaluated(groups: Sequence[Sequence[Output]]) -> dict[str, float]:
    """The host's metrics of an evaluation."""
    outputs = [output for group in groups for output in group]
    logs = compute_eval_metrics([], experiences(outputs), len(groups[0]))
    return {name.removeprefix("eval_unknown_"): value for name, value in logs.items()}
