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

SHAPES: dict[str, dict[str, int]] = {
    "tiny": {"hidden": 128, "inner": 384, "layers": 4, "heads": 4, "kv": 2, "vocabulary": WORDS},
    # as Qwen2.5-1.5B and -7B
    "1.5B": {
        "hidden": 1536,
        "inner": 8960,
        "layers": 28,
        "heads": 12,
        "kv": 2,
        "vocabulary": 151936,
    },
    "7B": {
        "hidden": 3584,
        "inner": 18944,
        "layers": 28,
        "heads": 28,
        "kv": 4,
        "vocabulary": 152064,
    },
}


def config_of(shape: str, **more: Any) -> Qwen2Config:
    """The configuration of a shape; ``more`` changes fields of it."""
    of = SHAPES[shape]
    fields = {
        "hidden_size": of["hidden"],
        "intermediate_size": of["inner"],
        "num_hidden_layers": of["layers"],
        "num_attention_heads": of["heads"],
        "num_key_value_heads": of["kv"],
        "vocab_size": of["vocabulary"],
        "max_position_embeddings": 8192,
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 2,
    }
    return Qwen2Config(**fields | more)


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
