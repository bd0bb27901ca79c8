"""Generates batches with transformers. Imports torch: import it late."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import AutoModelForCausalLM, GenerationConfig, StoppingCriteria

from grm_plugin.engine import Draw
from grm_plugin.errors import EngineError, RequestTimeout
from grm_plugin.local.cache import CACHE_ARGUMENT, growing_cache
from grm_plugin.local.chat import ChatEncoder
from grm_plugin.local.loading import context_of, load, within_memory
from grm_plugin.local.options import LocalJudgeOptions, Row, RowJob
from grm_plugin.local.parameters import flops_per_token
from grm_plugin.local.probabilities import likeliest
from grm_plugin.local.seeded import SeededSampler
from grm_plugin.local.tokens import TokenReader
from grm_plugin.types import Message, Token

logger = logging.getLogger(__name__)


class Generator:
    """A causal language model with its tokenizer.

    Args:
        options: what to load, and where to.
        owner: how messages call the engine.
        timeout_s: wall seconds a batch may take; rows still open then fail.

    Raises:
        EngineError: the model can not be loaded.
    """

    def __init__(self, options: LocalJudgeOptions, owner: str, timeout_s: float) -> None:
        self._owner, self._timeout_s = owner, timeout_s
        self.model, self.tokenizer = load(AutoModelForCausalLM, options, owner)
        self.context_tokens = context_of(self.model)
        self.flops_per_token = flops_per_token(self.model)
        self.encoder = ChatEncoder(self.tokenizer, options.system, owner)
        self.ends = _end_tokens(self.model, self.tokenizer, self.encoder.template.ends(), owner)
        self._pad = _pad_token(self.tokenizer, self.ends)
        self._reader = TokenReader(self.tokenizer)
        # Penalties and samplers that came with the weights would bend the distribution we sample.
        self.model.generation_config = GenerationConfig(
            do_sample=False, eos_token_id=sorted(self.ends) or None, pad_token_id=self._pad
        )

    def encode(self, messages: Sequence[Message]) -> list[int]:
        """Prompt tokens of ``messages``; safe to call while a batch runs."""
        return self.encoder.encode(messages)

    def run(self, jobs: Sequence[RowJob]) -> list[Draw | EngineError]:
        """One draw per job, as one batch if it fits into memory."""
        return within_memory(self._batch, jobs, self._owner)

    def _batch(self, jobs: Sequence[RowJob]) -> list[Draw | EngineError]:
        rows = [job.item for job in jobs]
        started = time.monotonic()
        ending = Ending(jobs, self.tokenizer, started + self._timeout_s)
        outputs = self._generate(rows, ending)
        seconds = time.monotonic() - started
        return [
            self._draw(rows[r], outputs[r], ending.ended.get(r), seconds) for r in range(len(rows))
        ]

    def _generate(self, rows: Sequence[Row], ending: Ending) -> list[list[int]]:
        width = max(len(row.prompt) for row in rows)
        device = self.model.device
        padded = [[self._pad] * (width - len(row.prompt)) + list(row.prompt) for row in rows]
        mask = [[0] * (width - len(row.prompt)) + [1] * len(row.prompt) for row in rows]
        sampler = SeededSampler([row.sampling for row in rows], [row.seed for row in rows], device)
        output = self.model.generate(
            torch.tensor(padded, device=device),
            attention_mask=torch.tensor(mask, device=device),
            max_new_tokens=max(row.sampling.max_tokens for row in rows),
            logits_processor=[sampler],
            stopping_criteria=[ending],
            **{CACHE_ARGUMENT: growing_cache(self.model)},
        )
        return [list(tokens) for tokens in output[:, width:].tolist()]

    def _draw(
        self, row: Row, tokens: list[int], ended: Ended | None, seconds: float
    ) -> Draw | EngineError:
        tokens = tokens[: ended.steps if ended else row.sampling.max_tokens]
        end = next((i + 1 for i, token in enumerate(tokens) if token in self.ends), None)
        # an end token that is not flagged special has a text, which is none of the judge's
        text, stopped = self._text(tokens[: end and end - 1], row.sampling.stop)
        if end is None and ended and ended.late:
            return RequestTimeout(
                f"{self._owner}: not finished within {self._timeout_s:g} s; {len(tokens)} of "
                f"{row.sampling.max_tokens} tokens were written"
            )
        reason = "stop" if end is not None or stopped else "length"
        told = self._told(row, tokens[:end], text)
        return Draw(text, reason, len(row.prompt), len(tokens[:end]), seconds, told)

    def _text(self, tokens: list[int], stop: Sequence[str]) -> tuple[str, bool]:
        text = self._reader.decode(tokens)
        cuts = [text.find(ending) for ending in stop if ending in text]
        return (text[: min(cuts)], True) if cuts else (text, False)

    def _told(self, row: Row, tokens: list[int], text: str) -> tuple[Token, ...]:
        if not (row.logprobs and text):
            return ()
        places = likeliest(self.model, row.prompt, tokens, row.logprobs)
        return self._reader.tokens(tokens, text, places)


@dataclass(frozen=True, slots=True)
class Ended:
    """A row that was ended from outside: after how many tokens, and whether it was too late."""

    steps: int
    late: bool = False


class Ending(StoppingCriteria):  # type: ignore[misc]
    """Ends rows that nobody waits for, at their own token limit, at a stop text, at the deadline.

    Args:
        jobs: the rows of the batch.
        tokenizer: to read the last tokens where a row has stop texts.
        deadline: ``time.monotonic()`` at which all rows end.
    """

    def __init__(self, jobs: Sequence[RowJob], tokenizer: Any, deadline: float) -> None:
        self.ended: dict[int, Ended] = {}
        self._jobs, self._tokenizer, self._deadline = jobs, tokenizer, deadline
        self._steps = 0
        # Prompts do not count: a stop text in the prompt ends nothing. A token is a byte or more.
        stops = [text.encode() for job in jobs for text in job.item.sampling.stop]
        self._tail = max((4 + len(text) for text in stops), default=0)

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **more: Any) -> torch.Tensor:
        self._steps += 1
        late = time.monotonic() > self._deadline
        written = min(self._tail, self._steps)
        tails = input_ids[:, -written:].tolist() if written else []
        for r, job in enumerate(self._jobs):
            if r not in self.ended and (late or self._ends(job, tails[r] if tails else [])):
                self.ended[r] = Ended(self._steps, late)
        done = [r in self.ended for r in range(len(self._jobs))]
        return torch.tensor(done, device=input_ids.device)

    def _ends(self, job: RowJob, tail: list[int]) -> bool:
        sampling = job.item.sampling
        if job.dropped or self._steps >= sampling.max_tokens:
            return True
        if not sampling.stop:
            return False
        text = self._tokenizer.decode(tail, skip_special_tokens=True)
        return any(ending in text for ending in sampling.stop)


def _end_tokens(
    model: Any, tokenizer: Any, of_turns: Mapping[int, str], owner: str
) -> frozenset[int]:
    """What ends an answer: the checkpoint's end tokens, and the one of its chat template."""
    configured = model.generation_config.eos_token_id
    ends = configured if isinstance(configured, list) else [configured]
    known = frozenset(token for token in (*ends, tokenizer.eos_token_id) if token is not None)
    for one, text in of_turns.items():
        if one not in known:
            logger.info("%s: %r ends a turn, and now an answer too", owner, text)
    return known | of_turns.keys()


def _pad_token(tokenizer: Any, ends: frozenset[int]) -> int:
    """Any token does for padding: the attention mask hides it and what follows an end is cut."""
    if tokenizer.pad_token_id is not None:
        return int(tokenizer.pad_token_id)
    return min(ends, default=0)
