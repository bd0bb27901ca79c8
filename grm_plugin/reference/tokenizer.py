"""The tokenizer of the reference judge: an explicit vocabulary that round-trips any text.

Frame words, numbers and headings are single tokens; a content word is its two pieces. All 256 bytes
are in the vocabulary, so every text encodes and decodes exactly.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from grm_plugin.reference.tasks.phrasings import phrasings, sections
from grm_plugin.reference.tasks.task import OPENINGS
from grm_plugin.reference.tasks.words import SPLITS, compounds

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PAD, BOS, EOS = "<|pad|>", "<|bos|>", "<|eos|>"
SPECIAL = (PAD, BOS, EOS)
"""The special tokens; their ids are their places, 0..2."""

TOKEN_IDS = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
"""The same as model configs name them."""

MAX_LENGTH = 2048
MAX_NEW_TOKENS = 640
"""Room for a judgment; the longest of the teacher's, for eight long responses, have about 500."""
CHAT_TEMPLATE = "{{ bos_token }}{% for message in messages %}{{ message['content'] }}{% endfor %}"

_PROMPT_PIECES = ("[Query]\n", "\n[Response ", "]\n", "\n[Judgment]\n")
_JUDGMENT_PIECES = (
    "Specific Criteria:\n", "Analysis:\n", "Scores: \\boxed{", "}", "Response ", ": ", ". ",
    " (weight ", ")\n", ". Score ", ".\n", ", ", "; ", "ok", "bad", "none", "exactly ",
    "at most ", " items", "include ", "exclude ", "start with ", " before ", "no item twice",
    "end with ", " + ", "polite", "cheerful", " opening", "counts ", " found", " absent",
    "starts ", " leads", "repeats ", "sum ", ", ends ", "opens ",
)  # fmt: skip
_NUMBERS = tuple(str(number) for number in range(21))

# The fewest pieces win, and a byte costs more than any piece. A frame word costs a trifle more than
# the others, so that `, upstream` is `, ` `up` `stream` although the frame knows the word ` up`.
_PIECE_SCORE, _FRAME_SCORE, _BYTE_SCORE = -10.0, -10.1, -25.0


def vocabulary() -> list[str]:
    """Every piece above single bytes, without special tokens, in id order."""
    spoken = [openings for tone in OPENINGS.values() for openings in tone]
    halves = {piece for pair in compounds().values() for piece in pair}
    found = [
        *_PROMPT_PIECES,
        *_JUDGMENT_PIECES,
        *_NUMBERS,
        *spoken,
        *sorted(halves),
        *_frame_words(),
    ]
    return list(dict.fromkeys(found))


def build_tokenizer() -> Tokenizer:
    """The tokenizer as a `tokenizers.Tokenizer`; encoding starts with the token `BOS`."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors

    by_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    # Ids 0..2 are taken by the special tokens, which the model must list as well.
    scored = [(token, _BYTE_SCORE) for token in SPECIAL]
    frame = set(_frame_words())
    for piece in vocabulary():
        cost = _FRAME_SCORE if piece in frame else _PIECE_SCORE
        scored.append((by_bytes.pre_tokenize_str(piece)[0][0], cost))
    known = {piece for piece, _ in scored}
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    scored += [(char, _BYTE_SCORE) for char in alphabet if char not in known]
    tokenizer = Tokenizer(models.Unigram(scored, unk_id=None, byte_fallback=False))
    tokenizer.pre_tokenizer = by_bytes
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in SPECIAL])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", pair=f"{BOS} $A $B", special_tokens=[(BOS, SPECIAL.index(BOS))]
    )
    return tokenizer


def save_tokenizer(folder: Path) -> None:
    """Write the tokenizer, its config, its special tokens and its chat template into `folder`."""
    roles = {"pad_token": PAD, "bos_token": BOS, "eos_token": EOS}
    config: dict[str, object] = {
        **roles,
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": MAX_LENGTH,
        "padding_side": "left",
        "clean_up_tokenization_spaces": False,
        "chat_template": CHAT_TEMPLATE,
    }
    build_tokenizer().save(str(folder / "tokenizer.json"))
    _write_json(folder / "tokenizer_config.json", config)
    _write_json(folder / "special_tokens_map.json", {**roles})
    (folder / "chat_template.jinja").write_text(CHAT_TEMPLATE, encoding="utf-8")


def _frame_words() -> list[str]:
    texts = [text for name in sections() for split in SPLITS for text in phrasings(name, split)]
    # Openers begin a line, so their first word also occurs without its blank.
    leads = {text.split()[0] for text in phrasings("opener", "base")}
    plain = (re.sub(r"\{\w\}|\d", "", text) for text in texts)
    spaced = {" " + word for text in plain for word in re.findall(r"[\w-]+", text)}
    return [" ", ".", ",", ":", ";", "\n", "\n-", " and", " plus", *sorted(leads), *sorted(spaced)]


def _write_json(path: Path, value: dict[str, object]) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
