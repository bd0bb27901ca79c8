"""Fast sampling from the reference network. Needs torch.

The parameters are those of `transformers.LlamaForCausalLM`, and so are the logits but for rounding.
Queries, keys and values are one product here, and rows that have ended leave the batch: reading
keys and values is what a small network waits for, and half of the rows end long before the last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.nn import functional

from grm_plugin.local.seeded import SeededSampler

EndsRow = Callable[[torch.Tensor], torch.Tensor]
"""Which of all rows have ended, from the tokens of all so far (rows, steps)."""

_SPARE = 64
_CROWDED = 0.85
"""Rows that have ended leave once fewer than this share of the batch is open."""


def suits(model: Any) -> bool:
    """Whether `model` is of the kind that :class:`Decoder` computes."""
    config = model.config
    return bool(
        config.model_type == "llama"
        and config.num_key_value_heads == config.num_attention_heads
        and config.rope_parameters["rope_type"] == "default"
        and not (config.attention_bias or config.mlp_bias)
        and model.dtype == torch.float32
    )


class Decoder:
    """The network with its matrices joined, for generation alone.

    Args:
        model: a `LlamaForCausalLM` that :func:`suits`; its weights are copied.
    """

    def __init__(self, model: Any) -> None:
        config = model.config
        self.heads, self.epsilon = config.num_attention_heads, config.rms_norm_eps
        self.embedding = model.model.embed_tokens.weight.detach()
        self.head = model.lm_head.weight.detach()
        self.norm = model.model.norm.weight.detach()
        self.layers = [_Layer(layer) for layer in model.model.layers]
        self.device = model.device
        half = torch.arange(0, config.head_dim, 2, device=self.device) / config.head_dim
        places = torch.arange(config.max_position_embeddings, device=self.device)[:, None]
        angles = places * config.rope_parameters["rope_theta"] ** -half
        self.cos, self.sin = angles.cos(), angles.sin()

    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        *,
        steps: int,
        sampler: SeededSampler,
        ended: EndsRow,
    ) -> torch.Tensor:
        """The tokens of every row (rows, steps at most); what follows a row's end means nothing.

        Args:
            prompts: token ids, one list a row.
            steps: most tokens of a row.
            sampler: chooses the next tokens, of all rows at first.
            ended: which of all rows have ended.
        """
        with torch.inference_mode():
            return self._generate(_Batch(self, prompts), steps, sampler, ended)

    def _generate(
        self, batch: _Batch, steps: int, sampler: SeededSampler, ended: EndsRow
    ) -> torch.Tensor:
        written = torch.zeros((len(batch.rows), steps), dtype=torch.long, device=self.device)
        logits = batch.read_prompts()
        for step in range(steps):
            tokens = sampler.choose(logits)
            written[batch.rows, step] = tokens
            is_open = ~ended(written[:, : step + 1])[batch.rows]
            if step + 1 == steps or not is_open.any():
                break
            if is_open.float().mean() < _CROWDED:
                kept = is_open.nonzero().squeeze(1)
                batch.keep(kept)
                sampler.keep(kept)
                tokens = tokens[kept]
            logits = batch.read_tokens(tokens)
        return written[:, : step + 1]

    def logits(self, states: torch.Tensor) -> torch.Tensor:
        """Logits (rows, vocabulary) of the last states (rows, width)."""
        return functional.linear(self.normalised(states, self.norm), self.head)

    def normalised(self, states: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """`states`, root mean square 1, times `weight`."""
        return functional.rms_norm(states, (states.shape[-1],), weight, self.epsilon)


class _Layer:
    def __init__(self, layer: Any) -> None:
        attention, mlp = layer.self_attn, layer.mlp
        self.queries_keys_values = _joined(attention.q_proj, attention.k_proj, attention.v_proj)
        self.out = attention.o_proj.weight.detach()
        self.gate_up = _joined(mlp.gate_proj, mlp.up_proj)
        self.down = mlp.down_proj.weight.detach()
        self.before_attention = layer.input_layernorm.weight.detach()
        self.before_mlp = layer.post_attention_layernorm.weight.detach()


class _Batch:
    """Rows under way: prompts padded on the right, then new tokens, all in the same columns.

    `keys` and `values` have one tensor a layer (rows, heads, columns, width of a head); `hidden`
    (rows, 1, 1, columns) is minus infinity where a short prompt leaves a gap.
    """

    def __init__(self, decoder: Decoder, prompts: Sequence[Sequence[int]]) -> None:
        self._decoder, device = decoder, decoder.device
        self._prompts = prompts
        self.rows = torch.arange(len(prompts), device=device)
        self.places = torch.tensor([len(prompt) for prompt in prompts], device=device)
        self.filled = int(self.places.max())
        self.keys: list[torch.Tensor] = []
        self.values: list[torch.Tensor] = []
        gaps = torch.arange(self.filled, device=device) >= self.places[:, None]
        self.hidden = torch.zeros(gaps.shape, device=device).masked_fill(gaps, -torch.inf)[
            :, None, None
        ]

    def read_prompts(self) -> torch.Tensor:
        """Logits after the last token of each prompt (rows, vocabulary)."""
        ids = torch.tensor(
            [[*prompt, *[0] * (self.filled - len(prompt))] for prompt in self._prompts],
            device=self._decoder.device,
        )
        turn = self._decoder.cos[: self.filled], self._decoder.sin[: self.filled]
        states = self._through(ids, turn, self._attend_to_prompts)
        last = states[self.rows, self.places - 1]
        self._grow()
        return self._decoder.logits(last)

    def read_tokens(self, tokens: torch.Tensor) -> torch.Tensor:
        """Logits after one more token of each row (rows, vocabulary)."""
        if self.filled == self.keys[0].shape[2]:
            self._grow()
        # A row that has ended, and waits in the batch for others, may stand past the context.
        places = self.places.clamp(max=len(self._decoder.cos) - 1)
        turn = (
            self._decoder.cos[places][:, None, None],
            self._decoder.sin[places][:, None, None],
        )
        self.filled += 1
        states = self._through(tokens[:, None], turn, self._attend_to_all)
        self.places += 1
        return self._decoder.logits(states[:, 0])

    def keep(self, kept: torch.Tensor) -> None:
        """Go on with the rows `kept` alone, counted among those that are open now."""
        self.rows, self.places, self.hidden = self.rows[kept], self.places[kept], self.hidden[kept]
        for held in (self.keys, self.values):
            for layer, states in enumerate(held):
                held[layer] = states[kept]

    def _grow(self) -> None:
        self.hidden = functional.pad(self.hidden, (0, _SPARE))
        for held in (self.keys, self.values):
            for layer, states in enumerate(held):
                held[layer] = functional.pad(states, (0, 0, 0, _SPARE))

    def _through(self, ids: torch.Tensor, turn: Any, attend: Any) -> torch.Tensor:
        decoder = self._decoder
        states = functional.embedding(ids, decoder.embedding)
        for place, layer in enumerate(decoder.layers):
            normed = decoder.normalised(states, layer.before_attention)
            mixed = functional.linear(normed, layer.queries_keys_values)
            queries, keys, values = _by_head(mixed, decoder.heads)
            seen = attend(place, _turned(queries, turn), _turned(keys, turn), values)
            joined = seen.transpose(1, 2).reshape(states.shape)
            states = states + functional.linear(joined, layer.out)
            normed = decoder.normalised(states, layer.before_mlp)
            gate, up = functional.linear(normed, layer.gate_up).chunk(2, -1)
            states = states + functional.linear(functional.silu(gate) * up, layer.down)
        return states

    def _attend_to_prompts(
        self, _: int, queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor
    ) -> torch.Tensor:
        self.keys.append(keys)
        self.values.append(values)
        # A gap lies behind its prompt, where a causal look never goes.
        return functional.scaled_dot_product_attention(queries, keys, values, is_causal=True)

    def _attend_to_all(
        self, place: int, queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor
    ) -> torch.Tensor:
        last = self.filled - 1
        self.keys[place][:, :, last] = keys[:, :, 0]
        self.values[place][:, :, last] = values[:, :, 0]
        return functional.scaled_dot_product_attention(
            queries,
            self.keys[place][:, :, : self.filled],
            self.values[place][:, :, : self.filled],
            attn_mask=self.hidden[..., : self.filled],
        )


def _joined(*parts: Any) -> torch.Tensor:
    return torch.cat([part.weight.detach() for part in parts])


def _by_head(mixed: torch.Tensor, heads: int) -> torch.Tensor:
    rows, length, width = mixed.shape
    return mixed.view(rows, length, 3, heads, width // (3 * heads)).permute(2, 0, 3, 1, 4)


def _turned(vectors: torch.Tensor, turn: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    (cos, sin), (left, right) = turn, vectors.chunk(2, -1)
    return torch.cat((left * cos - right * sin, right * cos + left * sin), -1)
