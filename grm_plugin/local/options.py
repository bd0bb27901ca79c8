"""What a model that runs in this process is given: its options, and the rows it generates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from grm_plugin.engine import Draw, Sampling
from grm_plugin.local.batching import Job
from grm_plugin.options import Options


class LocalModelOptions(Options):
    """Where the weights are and how they are run.

    Args:
        model: a folder, or the id of a model on the hub; weights must be safetensors.
        revision: branch, tag or commit on the hub.
        device: a torch device; ``auto`` is ``cuda`` where there is one, else ``cpu``.
        dtype: a torch dtype such as ``bfloat16``; ``auto`` is the one the weights are stored in.
        attn_implementation: say ``eager`` or ``sdpa``; None lets transformers choose.
        trust_remote_code: run the code that comes with the weights.
        batch_tokens: most tokens of one padded batch, prompts and outputs.
    """

    model: str
    revision: str | None = None
    device: str = "auto"
    dtype: str = "auto"
    attn_implementation: str | None = None
    trust_remote_code: bool = False
    batch_tokens: int = Field(32768, ge=1)

    @property
    def loading(self) -> dict[str, Any]:
        """What both the tokenizer and the model are loaded with."""
        return {"revision": self.revision, "trust_remote_code": self.trust_remote_code}


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
