"""Runs a sequence classifier with transformers. Imports torch: import it late."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from transformers import AutoModelForSequenceClassification

from grm_plugin.errors import EngineError
from grm_plugin.local.batching import Job
from grm_plugin.local.chat import ChatEncoder
from grm_plugin.local.loading import context_of, load, within_memory
from grm_plugin.local.options import LocalModelOptions
from grm_plugin.local.parameters import flops_per_token
from grm_plugin.types import Message

TextJob = Job[list[int], float]


class SequenceModel:
    """A classifier with one output, and its tokenizer.

    Args:
        options: what to load, and where to.
        owner: how messages call the classifier.

    Raises:
        EngineError: the model can not be loaded, or has more than one output.
    """

    def __init__(self, options: LocalModelOptions, owner: str) -> None:
        self._owner = owner
        self.model, self.tokenizer = load(
            AutoModelForSequenceClassification, options, owner, num_labels=1
        )
        self.context_tokens = context_of(self.model)
        self.flops_per_token = flops_per_token(self.model)
        self.vocabulary = int(self.model.config.get_text_config().vocab_size)
        self._encoder = ChatEncoder(self.tokenizer, owner=owner)
        self.control_tokens = self._encoder.control_tokens

    def renew(self, options: LocalModelOptions) -> None:
        """Take in other weights of the same model, in place of its own.

        Args:
            options: where they are.

        Raises:
            EngineError: they can not be loaded, or are of another model.
        """
        options = options.model_copy(update={"device": "cpu"})  # no device holds both
        model, _ = load(AutoModelForSequenceClassification, options, self._owner, num_labels=1)
        found = model.state_dict()
        if _shapes(found) != _shapes(self.model.state_dict()):
            raise EngineError(
                f"{self._owner}: {options.model} holds weights of other shapes than the model in "
                "use; expected another version of the same one"
            )
        self.model.load_state_dict(found)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text, with the special tokens its tokenizer adds."""
        return [list(self.tokenizer(text).input_ids) for text in texts]

    def encode_conversations(self, conversations: Sequence[Sequence[Message]]) -> list[list[int]]:
        """Token ids of each conversation in the chat template of the model.

        Texts of control tokens in what is said stay plain text.

        Raises:
            EngineError: the model has no chat template, or it takes no such turns.
        """
        if not self._encoder.template.is_there:
            raise EngineError(
                f"{self._owner}: the model has no chat template, so what it reads is not known; "
                "name a file with scalar.template"
            )
        return [self._encoder.encode(one, answer=False) for one in conversations]

    def run(self, jobs: Sequence[TextJob]) -> list[float | EngineError]:
        """One raw logit per job, as one batch if it fits into memory."""
        return within_memory(self._batch, jobs, self._owner)

    def _batch(self, jobs: Sequence[TextJob]) -> list[float | EngineError]:
        return [*logits_of(self.model, [job.item for job in jobs])]


def logits_of(model: Any, rows: Sequence[Sequence[int]]) -> list[float]:
    """One raw logit per row, one row at least, as one batch where a token is left to pad it with.

    Args:
        model: of transformers, with one output; not in training.
        rows: tokens.
    """
    padded, config = Padded.of(rows), model.config.get_text_config()
    if padded.pad >= config.vocab_size and len(rows) > 1:
        return [logit for row in rows for logit in logits_of(model, [row])]
    config.pad_token_id = padded.pad
    with torch.inference_mode():
        output = model(padded.ids.to(model.device), attention_mask=padded.mask.to(model.device))
    return [float(logit) for logit in output.logits[:, 0].float().tolist()]


def _shapes(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Size]:
    return {name: one.shape for name, one in weights.items()}


class Padded(NamedTuple):
    """Rows of tokens as one batch, padded on the right.

    A classifier finds the end of a row by its padding, so ``pad`` is a token that occurs in none of
    them; ``config.pad_token_id`` of the model has to say it.
    """

    ids: torch.Tensor
    mask: torch.Tensor
    pad: int

    @classmethod
    def of(cls, rows: Sequence[Sequence[int]]) -> Padded:
        """``rows``, one at least."""
        width, pad = max(map(len, rows)), _unused(rows)
        ids = [[*row, *[pad] * (width - len(row))] for row in rows]
        mask = [[1] * len(row) + [0] * (width - len(row)) for row in rows]
        return cls(torch.tensor(ids), torch.tensor(mask), pad)


def _unused(rows: Sequence[Sequence[int]]) -> int:
    used = {token for row in rows for token in row}
    return next(token for token in range(len(used) + 1) if token not in used)
