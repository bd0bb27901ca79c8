"""Random models of a few thousand parameters, and the tokenizer they share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from transformers import (
    GenerationConfig,
    LlamaConfig,
    LlamaForCausalLM,
    LlamaForSequenceClassification,
    PreTrainedTokenizerFast,
)

SPECIALS = ("<unk>", "<pad>", "<s>", "</s>", "<user>", "<assistant>")
WORDS = tuple(f"{a}{b}" for a in "bdfgklmn" for b in ("a", "e", "i", "o", "u", "ar", "en"))
CONTEXT = 256
TEMPLATE = (
    "{% for m in messages %}<user> {{ m.content }} {% endfor %}"
    "{% if add_generation_prompt %}<assistant> {% endif %}"
)


def tokenizer(*, chat: bool = True, pad: bool = True) -> PreTrainedTokenizerFast:
    names = (*SPECIALS, *WORDS)
    words = Tokenizer(WordLevel({name: i for i, name in enumerate(names)}, unk_token="<unk>"))
    words.pre_tokenizer = WhitespaceSplit()
    made = PreTrainedTokenizerFast(
        tokenizer_object=words,
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>" if pad else None,
        extra_special_tokens=["<user>", "<assistant>"],
    )
    made.chat_template = TEMPLATE if chat else None
    return made


def config(**more: Any) -> LlamaConfig:
    return LlamaConfig(
        vocab_size=len(SPECIALS) + len(WORDS),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=CONTEXT,
        initializer_range=0.3,
        bos_token_id=2,
        eos_token_id=3,
        pad_token_id=1,
        **more,
    )


def save_judge(folder: Path, *, chat: bool = True, pad: bool = True) -> Path:
    torch.manual_seed(0)
    model = LlamaForCausalLM(config())
    # as published weights do: settings that must not bend what we sample
    model.generation_config = GenerationConfig(
        eos_token_id=[3, 4], repetition_penalty=5.0, do_sample=True, top_k=1
    )
    model.save_pretrained(folder)
    tokenizer(chat=chat, pad=pad).save_pretrained(folder)
    return folder


def save_classifier(folder: Path, *, labels: int = 1) -> Path:
    torch.manual_seed(0)
    LlamaForSequenceClassification(config(num_labels=labels)).save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder
