"""Judges of known shapes with random weights: what is measured on them needs no download.

Their tokenizer is trained on the texts of this package, in a second, so that English takes as many
tokens as it does for a judge that one would use; the vocabulary of the model may be much larger.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast, Qwen2Config

import grm_plugin

PAD, START, END = "<|pad|>", "<|start|>", "<|end|>"
CHAT = (
    "{% for m in messages %}<|start|>{{ m.role }}\n{{ m.content }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)
WORDS = 4096


def _shape(hidden: int, inner: int, heads: int, kv: int, layers: int, words: int) -> dict[str, Any]:
    return {
        "hidden_size": hidden,
        "intermediate_size": inner,
        "num_attention_heads": heads,
        "num_key_value_heads": kv,
        "num_hidden_layers": layers,
        "vocab_size": words,
    }


SHAPES = {
    "tiny": _shape(128, 384, 4, 2, 4, 2 * WORDS),
    "1.5B": _shape(1536, 8960, 12, 2, 28, 151_936) | {"tie_word_embeddings": True},
    "7B": _shape(3584, 18944, 28, 4, 28, 152_064),
}
"""The last two are those of Qwen2.5-1.5B and -7B."""


def config_of(shape: str, **more: Any) -> Qwen2Config:
    """The configuration of a shape; ``more`` changes fields of it."""
    ends = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    return Qwen2Config(**{"max_position_embeddings": 8192, **ends, **SHAPES[shape], **more})


def save_config(folder: Path, shape: str, **more: Any) -> Path:
    """The shape and a tokenizer in ``folder``, for what makes up the weights by itself."""
    config = config_of(shape, **more)
    config.architectures = ["Qwen2ForCausalLM"]
    config.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


def save_judge(folder: Path, shape: str, *, dtype: str = "float32", **more: Any) -> Path:
    """A judge of that shape in ``folder``, with its tokenizer; the weights are random."""
    torch.manual_seed(0)
    made = AutoModelForCausalLM.from_config(config_of(shape, **more), dtype=getattr(torch, dtype))
    made.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


def tokenizer() -> PreTrainedTokenizerFast:
    """One of 4,096 pieces of words, with a chat template."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=WORDS,
        special_tokens=[PAD, START, END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    package = Path(grm_plugin.__file__).parent
    files = sorted(file for kind in ("*.py", "*.md") for file in package.rglob(kind))
    made.train([str(file) for file in files], trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token=PAD, bos_token=START, eos_token=END
    )
    fast.chat_template = CHAT
    return fast
