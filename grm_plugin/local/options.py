"""What a model that runs in this process is given: its options, and the rows it generates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from grm_plugin.engine import Draw, Sampling
from grm_plugin.local.batching import Job
from grm_plugin.local.packing import batch_cost
from grm_plugin.local.turns import System
from grm_plugin.options import Options


class LocalModelOptions(Options):
    """Where the weights are and how they are run.

    Args:
        model: a folder, or the id of a model on the hub; weights must be safetensors.
        revision: branch, tag or commit on the hub.
        device: a torch device; ``auto`` is ``cuda`` where there is one, else ``cpu``.
        dtype: a torch dtype such as ``bfloat16``; ``auto`` is the one the weights are stored in.
        attn_implementation: say ``eager`` or ``flash_attention_2``; None lets transformers choose,
            and is ``eager`` for models that cap the logits of attention, which ``sdpa`` ignores.
        trust_remote_code: run the code that comes with the weights.
        batch_tokens: most tokens of one padded batch, prompts and outputs.
        batch_cost_tokens: rows of unlike length share a batch while that takes fewer tokens of
            padding than this; 0 pads nothing, a large number fills every batch. None takes what
            one more batch costs: for a meta RM 32 on a CPU and 512 on a GPU, for a judge, which
            takes a step per token, 8,192 and 131,072.
    """

    model: str
    revision: str | None = None
    device: str = "auto"
    dtype: str = "auto"
    attn_implementation: str | None = None
    trust_remote_code: bool = False
    batch_tokens: int = Field(32768, ge=1)
    batch_cost_tokens: int | None = Field(None, ge=0)

    def batch_cost(self, device: str, steps: int) -> int:
        """Tokens of padding that are worth one more batch of ``steps`` on ``device``."""
        if self.batch_cost_tokens is None:
            return batch_cost(device, steps)
        return self.batch_cost_tokens

    @property
    def loading(self) -> dict[str, Any]:
        """What both the tokenizer and the model are loaded with."""
        return {"revision": self.revision, "trust_remote_code": self.trust_remote_code}


class ClassifierOptions(LocalModelOptions):
    """Options of a classifier in this process.

    Args:
        reload: ``model`` is a link to a version, such as `grm train refresh` keeps at
            ``OUT/current``; when it leads to another one, that one is loaded between batches.
    """

    reload: bool = False


class LocalJudgeOptions(LocalModelOptions):
    """Options of a model that is asked in turns.

    Args:
        system: where the system turn of a prompt goes: ``turn`` keeps it, ``user`` puts its text
            in front of the user's turn, ``auto`` does so where the chat template has no place for
            it.
    """

    system: System = "auto"


@dataclass(frozen=True, slots=True)
class Row:
    """One draw to generate: prompt tokens, its own seed, how to sample, what to tell of it.

    ``logprobs`` is how many of the likeliest tokens are told at every place; 0 tells none.
    """

    prompt: Sequence[int]
    seed: int
    sampling: Sampling
    logprobs: int = 0


RowJob = Job[Row, Draw]
