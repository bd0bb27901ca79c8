"""Control tokens of chat models, as text: shapes that hold for any judge, and a tokenizer's list.

A response may hold the literal text of such a token, and rendered prompts are tokenised with
special tokens on, so that the text would end a turn or begin one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from grm_plugin.prompts.folding import folded

# Regular expressions, by what the tokens look like; matched without case unless one says (?-i:).
CONTROL_TOKENS: tuple[str, ...] = (
    # <|im_end|> <|eot_id|> <|START_OF_TURN_TOKEN|> <|channel|> <|"|> [|user|], and DeepSeek's,
    # which have wide bars
    r"<\|(?:[^\s<>|]{2,64}|\")\|>",
    r"\[\|\w{2,32}\|\]",
    # Gemma 4: <|turn> <turn|>
    r"<\|[a-z]\w{1,32}>",
    r"<[a-z]\w{1,32}\|>",
    # Gemma, Llama 2, Mistral, Cohere, GLM, InternLM, T5, BERT
    r"</?s>",
    r"<(?:bos|eos|pad|unk|mask|sep|cls|sop|eop|eod|eoh|eoa)(?:_token)?>",
    r"</?(?:start|end)_of_\w{2,24}>",
    r"<\w{2,20}_soft_token>",
    r"<(?:tokens_)?(?:unused|extra_id|special|reserved(?:_special)?(?:_token)?|control)_?\d{1,6}>",
    r"\[(?:unused|unused_token_|control_|reserved_)\d{1,6}\]",
    r"\[/?(?:inst|system_prompt|tool_calls|tool_results|tool_content|available_tools"
    r"|model_settings|call_id|think)\]",
    r"<</?sys>>",
    r"\[(?-i:[gs]?MASK|CLS|SEP|PAD|UNK)\]",
    # Falcon, MiniMax, Seed
    r">>(?-i:[A-Z][A-Z_]{3,24})<<",
    r"\]~!?b[\[\]]",
    r"\[e~\[",
    r"</?seed:\w{2,24}>",
    # tools and gaps in code
    r"</?(?:tool_(?:call|response)s?|arg_key|arg_value)>",
    r"<(?:fim_\w{3,10}|file_sep|repo_?name)>",
    # thinking
    r"</?(?:think(?:ing)?|thoughts?|reasoning)\s{0,4}>",
    r"◁/?think▷",
)

END_TOKENS: tuple[str, ...] = (
    "<|im_end|>",
    "<|endoftext|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|eot|>",
    "<|eom|>",
    "<|eos|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<|end_of_text|>",
    "<|end_of_turn|>",
    "<|end_of_role|>",
    "<|endofturn|>",
    "<|END_OF_TURN_TOKEN|>",
    "<|END_RESPONSE|>",
    "<EOS_TOKEN>",
    "<｜end▁of▁sentence｜>",
    "<turn|>",
    "<end_of_turn>",
    "<|user|>",
    "<|observation|>",
    "<seed:eos>",
    "[|endofturn|]",
    "[e~[",
    "</s>",
    "<eos>",
)
"""What chat models write when a turn is over, as text."""


def _by_first(shapes: Iterable[str]) -> str:
    """One expression for all ``shapes``, by their first character, which makes searching fast."""
    rests: dict[str, list[str]] = {}
    for shape in shapes:
        first = shape[: 2 if shape[0] == "\\" else 1]
        rests.setdefault(first, []).append(shape[len(first) :])
    return "|".join(f"{first}(?:{'|'.join(rest)})" for first, rest in rests.items())


_BUILT_IN = re.compile(_by_first(CONTROL_TOKENS), re.IGNORECASE)
# Gemma's tokenizer has these as tokens of their own; they mean what they say.
_HTML = re.compile(
    r"</?(?:h\d|[abipuq]|br|hr|em|strong|strike|del|ins|sub|sup|code|pre|kbd|span|div|table|caption"
    r"|thead|tbody|tfoot|tr|th|td|ul|ol|li|dl|dt|dd|blockquote|img|small|big|center|font)/?>",
    re.IGNORECASE,
)


@lru_cache(maxsize=16)
def control_pattern(control: tuple[str, ...] = ()) -> re.Pattern[str]:
    """What finds control tokens in a text that was :func:`folded`.

    Args:
        control: the texts that the judge's tokenizer takes for tokens, besides the built-in
            shapes. Numbers in them stand for any number. Texts that are honest text, such as
            white space, single words or HTML, are left out.
    """
    more = {re.sub(r"\d+", "0", folded(token)): None for token in control if is_mark(token)}
    literals = sorted((token for token in more if not _BUILT_IN.fullmatch(token)), reverse=True)
    if not literals:
        return _BUILT_IN
    shapes = [*map(_any_number, literals), *CONTROL_TOKENS]
    return re.compile(_by_first(shapes), re.IGNORECASE)


def is_mark(token: str) -> bool:
    """Whether ``token`` is nothing that people write: brackets, bars or symbols around a name."""
    name = token.strip()
    if len(name) < 3 or name[0].isalnum() or name[-1].isalnum() or _HTML.fullmatch(name):
        return False
    return any(character.isalnum() for character in name)


def _any_number(token: str) -> str:
    first, rest = re.escape(token[0]), re.escape(token[1:])
    return f"{first}(?-i:{rest.replace('0', r'[0-9]{1,9}')})"


def missed(control: Iterable[str]) -> tuple[str, ...]:
    """Those of ``control`` that no built-in shape finds and that are no honest text."""
    return tuple(
        token for token in control if is_mark(token) and not _BUILT_IN.fullmatch(folded(token))
    )
