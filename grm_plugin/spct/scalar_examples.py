"""Groups as a trainer takes them, and the Bradley-Terry loss of their pairs. Imports torch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch.nn import functional

from grm_plugin.errors import TrainingError
from grm_plugin.local.loading import context_of, within_memory
from grm_plugin.local.sequence import logits_of
from grm_plugin.spct.classifier_trainer import padded
from grm_plugin.spct.scalar_encoding import ScalarEncoder
from grm_plugin.spct.scalar_pairs import Compared, Pair
from grm_plugin.types import Group

Example = dict[str, Any]


@dataclass
class Examples:
    """Encodes groups for a model; nothing is cut.

    Args:
        encoder: of the model's tokenizer.
        model: of transformers.
        too_long: pairs left out so far because the context does not hold one of their responses.
    """

    encoder: ScalarEncoder
    model: Any
    too_long: int = 0

    def of(self, groups: Sequence[Compared]) -> list[Example]:
        """An example for each group of which a pair fits.

        Raises:
            TrainingError: the tokenizer is of another model.
        """
        return [found for one in groups if (found := self._example(one))]

    def scores(self, group: Group) -> list[float]:
        """The logit of each response; NaN for one that the context does not hold."""
        rows = self.encoder.encode(group)
        fits = [n for n, row in enumerate(rows) if len(row) <= self._context]
        logits = dict(zip(fits, self._logits([rows[n] for n in fits]), strict=True))
        return [logits.get(n, math.nan) for n in range(len(rows))]

    def _logits(self, rows: Sequence[Sequence[int]]) -> list[float]:
        self.model.eval()
        ask = partial(logits_of, self.model)
        return within_memory(ask, rows, "the scalar RM in training") if rows else []

    @property
    def _context(self) -> float:
        return context_of(self.model) or math.inf

    def _example(self, compared: Compared) -> Example | None:
        rows = self.encoder.encode(compared.group)
        self._check_vocabulary(rows)
        pairs = [
            pair
            for pair in compared.pairs
            if max(len(rows[pair.first]), len(rows[pair.second])) <= self._context
        ]
        self.too_long += len(compared.pairs) - len(pairs)
        return _example(rows, pairs) if pairs else None

    def _check_vocabulary(self, rows: Sequence[Sequence[int]]) -> None:
        known = int(self.model.config.get_text_config().vocab_size)
        most = max((max(row) for row in rows if row), default=0)
        if most >= known:
            raise TrainingError(
                f"the base's tokenizer writes token {most}, and the model knows {known} tokens; "
                "expected the tokenizer that the model was trained with"
            )


def _example(rows: Sequence[list[int]], pairs: Sequence[Pair]) -> Example:
    """The rows that stand in pairs, and the pairs by the places of these rows."""
    shown = sorted({n for pair in pairs for n in (pair.first, pair.second)})
    place = {n: i for i, n in enumerate(shown)}
    kept = [rows[n] for n in shown]
    return {
        "rows": kept,
        "length": max(map(len, kept)),
        "pairs": [(place[pair.first], place[pair.second]) for pair in pairs],
        "targets": [pair.target for pair in pairs],
    }


def collate(examples: Sequence[Example]) -> dict[str, Any]:
    """A batch of groups: their rows one after another, their pairs by place in the batch."""
    starts = [0]
    for one in examples:
        starts.append(starts[-1] + len(one["rows"]))
    pairs = [
        (start + first, start + second)
        for start, one in zip(starts, examples, strict=False)
        for first, second in one["pairs"]
    ]
    weights = [1 / len(one["pairs"]) / len(examples) for one in examples for _ in one["pairs"]]
    return {
        **padded([row for one in examples for row in one["rows"]]),
        "pairs": torch.tensor(pairs),
        "labels": torch.tensor([target for one in examples for target in one["targets"]]),
        "weights": torch.tensor(weights),
    }


def loss(logits: torch.Tensor, batch: Mapping[str, Any]) -> torch.Tensor:
    """The cross-entropy of pairs under Bradley and Terry's model; every group counts alike."""
    first, second = batch["pairs"].unbind(1)
    return functional.binary_cross_entropy_with_logits(
        logits[first] - logits[second], batch["labels"], batch["weights"], reduction="sum"
    )
