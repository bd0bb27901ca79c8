"""What a recipe of real size takes: batches, memory, hours and disk, reckoned from its own files.

Nothing here is measured. Each formula is on a line of its own, and ``size.yaml`` in the folder of a
recipe says what is assumed. :mod:`recipes.spct.tables` prints what comes of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

GIB = 2**30
_BF16 = 2
_ADAM = 16  # bytes a trained weight: bf16 weight and gradient, fp32 weight and two moments
_LOGITS = 12  # bytes a logit: fp32 values, their log-softmax and its gradient
_CHUNK = 1024  # tokens whose logits SFTTrainer's loss holds at once, at most
_FLOPS = 8  # a weight and token: forward 2, backward 4, forward again for checkpoints 2
_LORA_FLOPS = 6  # no gradients of the weights themselves


@dataclass(frozen=True)
class Shape:
    """A dense decoder with gated feed-forward layers.

    Args:
        layers: of attention and feed-forward.
        hidden: width.
        intermediate: width inside a feed-forward layer.
        heads: of queries.
        kv_heads: of keys and values.
        head_dim: width of a head.
        vocabulary: entries.
        tied: whether embedding and output share their weights.
        context: tokens of prompt and output together, at most.
    """

    layers: int
    hidden: int
    intermediate: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    tied: bool
    context: int

    @property
    def parameters(self) -> int:
        """Weights in matrices; norms are a millionth of them."""
        embeddings = self.vocabulary * self.hidden * (1 if self.tied else 2)
        return embeddings + self.layers * sum(a * b for a, b in self.matrices)

    @property
    def matrices(self) -> tuple[tuple[int, int], ...]:
        """Rows and columns of every matrix of a layer."""
        queries, keys = self.heads * self.head_dim, self.kv_heads * self.head_dim
        ends = [(self.hidden, queries), (queries, self.hidden)]
        return (*ends, *[(self.hidden, keys)] * 2, *[(self.hidden, self.intermediate)] * 3)

    def adapter(self, rank: int) -> int:
        """Weights of a LoRA of ``rank`` on every matrix of every layer."""
        return self.layers * sum(rank * (a + b) for a, b in self.matrices)

    @property
    def kv_bytes(self) -> int:
        """Cache of one token, in bytes (bf16 keys and values)."""
        return 2 * self.layers * self.kv_heads * self.head_dim * _BF16


@dataclass(frozen=True)
class Stage:
    """A training stage as its YAML says it.

    Args:
        name: of the YAML.
        settings: what the YAML says.
        gpus: that train.
        gpu_gib: memory of each, in GiB.
        rows: that are trained on in all.
        prompt: mean tokens of a prompt with its responses.
        output: mean tokens of a judgment.
    """

    name: str
    settings: Mapping[str, Any]
    gpus: int
    gpu_gib: int
    rows: int
    prompt: int
    output: int

    @property
    def batch(self) -> int:
        """Rows of one optimizer step."""
        return self.gpus * self.rows_a_pass * int(self.settings["gradient_accumulation_steps"])

    @property
    def rows_a_pass(self) -> int:
        """Rows that a GPU holds at once."""
        return int(self.settings["per_device_train_batch_size"])

    @property
    def rank(self) -> int | None:
        """Of the LoRA; None where all weights learn."""
        return int(self.settings["lora_r"]) if self.settings.get("use_peft") else None

    @property
    def samples(self) -> bool:
        """Whether the model writes what it learns from."""
        return "num_generations" in self.settings


@dataclass(frozen=True)
class Recipe:
    """The folder of a recipe.

    Args:
        folder: with ``size.yaml`` and the YAML of each stage.
    """

    folder: Path

    @cached_property
    def size(self) -> Mapping[str, Any]:
        """What ``size.yaml`` says."""
        found: Mapping[str, Any] = yaml.safe_load((self.folder / "size.yaml").read_text("utf-8"))
        return found

    @property
    def shape(self) -> Shape:
        """The model's."""
        return Shape(**self.size["shape"])

    @property
    def stages(self) -> list[Stage]:
        """Every stage that trains, in order."""
        return [
            Stage(name, yaml.safe_load((self.folder / f"{name}.yaml").read_text("utf-8")), **facts)
            for name, facts in self.size["stages"].items()
        ]

    def memory(self, stage: Stage) -> dict[str, float]:
        """GiB of each GPU, by what they hold; weights are split over all GPUs (ZeRO-3)."""
        return {what: size / GIB for what, size in self._bytes(stage).items()}

    def _bytes(self, stage: Stage) -> dict[str, float]:
        shape, tokens = self.shape, stage.rows_a_pass * self.shape.context
        learns = shape.parameters if stage.rank is None else shape.adapter(stage.rank)
        frozen = 0 if stage.rank is None else shape.parameters * _BF16
        reference = shape.parameters * _BF16 if stage.samples and stage.rank is None else 0
        longest = stage.settings.get("max_completion_length", 0) * stage.rows_a_pass
        return {
            "learning": (learns * _ADAM + frozen) / stage.gpus,
            "reference": reference / stage.gpus,
            "a layer, whole": 2 * sum(a * b for a, b in shape.matrices) * _BF16,
            "activations": shape.layers * tokens * shape.hidden * _BF16,
            "inside a layer": 4 * tokens * shape.intermediate * _BF16,
            "logits": (longest or _CHUNK) * shape.vocabulary * _LOGITS,
            "vLLM": stage.settings.get("vllm_gpu_memory_utilization", 0) * stage.gpu_gib * GIB,
        }

    def together(self, stage: Stage) -> int:
        """Judgments that one vLLM, on the GPUs that share its weights, writes at once."""
        settings, shape = stage.settings, self.shape
        engines = settings["vllm_tensor_parallel_size"]
        room = settings["vllm_gpu_memory_utilization"] * stage.gpu_gib * GIB * engines
        longest = stage.prompt + settings["max_completion_length"]
        return int((room - shape.parameters * _BF16) / (shape.kv_bytes * longest))

    def hours(self, stage: Stage) -> dict[str, float]:
        """Of learning and of sampling, from what ``size.yaml`` assumes of a GPU."""
        assumed, tokens = self.size["assumed"], stage.rows * (stage.prompt + stage.output)
        flops = _FLOPS if stage.rank is None else _LORA_FLOPS
        flops += 2 * (2 if stage.samples else 0)  # old and reference log-probabilities
        speed = stage.gpus * assumed["tflops"] * 1e12 * assumed["used"]
        learning = flops * self.shape.parameters * tokens / speed / 3600
        rate = stage.gpus * assumed["sampled_tokens_a_second"]
        sampling = stage.rows * stage.output / rate / 3600 if stage.samples else 0.0
        return {"learning": learning, "sampling": sampling}

    @property
    def disk(self) -> dict[str, float]:
        """GiB of the weights of one model, and of a checkpoint to resume from."""
        return {
            "weights": self.shape.parameters * _BF16 / GIB,
            "checkpoint": self.shape.parameters * (_ADAM - _BF16) / GIB,
        }
