"""GRPO for models so small that padding costs more than weights. Imports TRL: import late."""

from __future__ import annotations

from typing import Any

import torch
from trl import GRPOConfig, GRPOTrainer

from grm_plugin.errors import ConfigError
from grm_plugin.local.whole import sample_whole

CHUNK = 16
"""Rows of about one length that go through the model together."""


class SmallModelGRPOTrainer(GRPOTrainer):  # type: ignore[misc]
    """TRL's trainer, and the same numbers, at less than half the time on a CPU.

    Completions are drawn by :func:`grm_plugin.local.whole.sample_whole`, and log probabilities are
    computed for rows of about one length together, without the padding of the longest. Rounds with
    pictures, and settings that cut or bend the distribution, draw as TRL's own class does.

    Raises:
        ConfigError: the model is spread over several processes, or another engine is to draw.
    """

    def __init__(self, model: Any, reward_funcs: Any, args: GRPOConfig, *more: Any, **keys: Any):
        _check(args)
        super().__init__(model, reward_funcs, args, *more, **keys)

    def _generate_single_turn(
        self, prompt_ids: Any, images: Any, *args: Any, **keywords: Any
    ) -> Any:
        if images or not self._draws_whole:
            return super()._generate_single_turn(prompt_ids, images, *args, **keywords)
        model = self.accelerator.unwrap_model(self.model_wrapped)
        training = model.training
        model.eval()
        try:
            drawn = sample_whole(
                model,
                prompt_ids,
                ends=self.eos_token_ids,
                max_tokens=self.max_completion_length,
                temperature=self.temperature,
            )
        finally:
            model.train(training)
        return drawn, None

    @property
    def _draws_whole(self) -> bool:
        args = self.args
        cuts = (args.top_p < 1, args.top_k, args.min_p, args.repetition_penalty != 1)
        return not (any(cuts) or args.generation_kwargs)

    def _get_per_token_logps_and_entropies(
        self,
        model: Any,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        logits_to_keep: int,
        batch_size: int | None = None,
        **keywords: Any,
    ) -> tuple[Any, ...]:
        compute = super()._get_per_token_logps_and_entropies
        flags = {name: keywords.pop(name) for name in _FLAGS if name in keywords}
        if any(value is not None for value in keywords.values()):  # pictures
            whole: tuple[Any, ...] = compute(
                model, input_ids, attention_mask, logits_to_keep, batch_size, **flags, **keywords
            )
            return whole
        rows = attention_mask.sum(-1).argsort()
        found = []
        for chunk in rows.split(CHUNK):
            ids, mask, kept = trimmed(input_ids[chunk], attention_mask[chunk], logits_to_keep)
            parts = compute(model, ids, mask, kept, None, **flags)
            found.append([_widened(part, kept, logits_to_keep) for part in parts])
        back = rows.argsort()
        return tuple(_joined(parts, back) for parts in zip(*found, strict=True))


def _check(args: GRPOConfig) -> None:
    """Refuse what a small model does not need and this class does not do."""
    wrong = {
        f"{args.world_size} processes": args.world_size > 1,
        "DeepSpeed": args.deepspeed or args.distributed_state.distributed_type == "DEEPSPEED",
        "FSDP": args.fsdp or args.distributed_state.distributed_type == "FSDP",
        "use_vllm": args.use_vllm,
        "use_transformers_continuous_batching": args.use_transformers_continuous_batching,
        "cache_implementation": args.cache_implementation,
    }
    if found := [name for name, there in wrong.items() if there]:
        raise ConfigError(
            f"small_model: expected one process that draws by itself, got {', '.join(found)}; "
            "leave small_model out for that"
        )


_FLAGS = ("compute_entropy", "compute_aux_loss")


def trimmed(
    ids: torch.Tensor, mask: torch.Tensor, completion: int
) -> tuple[torch.Tensor, torch.Tensor, int]:
    """A batch without the columns that are padding in all of its rows.

    Args:
        ids: prompts, padded on the left, and completions, padded on the right.
        mask: 1 where a token counts.
        completion: columns of the completions.

    Returns:
        ids, mask, and the columns of the completions that are left, at least one.
    """
    used = mask.any(0).nonzero().squeeze(-1)
    start = ids.shape[1] - completion
    first, end = int(used[0]), max(int(used[-1]), start) + 1
    return ids[:, first:end], mask[:, first:end], end - start


def _widened(part: Any, kept: int, wanted: int) -> Any:
    """What is known of each token, with zeros for the padding that was left out."""
    if not (isinstance(part, torch.Tensor) and part.ndim == 2):
        return part
    return torch.nn.functional.pad(part, (0, wanted - kept))


def _joined(parts: Any, back: torch.Tensor) -> Any:
    if parts[0] is None:
        return None
    if parts[0].ndim == 2:
        return torch.cat(parts)[back]
    return torch.stack(parts).mean()
