"""GRPO for models so small that padding costs more than weights. Imports TRL: import late."""

from __future__ import annotations

from typing import Any

import torch
from trl import GRPOTrainer

from grm_plugin.local.whole import sample_whole

CHUNK = 16
"""Rows of about one length that go through the model together."""


class SmallModelGRPOTrainer(GRPOTrainer):  # type: ignore[misc]
    """TRL's trainer, and the same numbers, at less than half the time on a CPU.

    Completions are drawn by :func:`grm_plugin.local.whole.sample_whole`, and log probabilities are
    computed for rows of about one length together, without the padding of the longest. For text
    models on one process whose settings cut nothing off the distribution; others train as they
    would with TRL's own class.
    """

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
        return not (any(cuts) or args.use_vllm or args.generation_kwargs)

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
