"""How servers say that a prompt is too long for them."""

from __future__ import annotations

import re

_WORDINGS = (
    # OpenAI, vLLM, DeepSeek, Mistral, Groq: "... maximum context length is 4096 tokens ..."
    r"context[ _](length|window|size|limit)",
    # vLLM: "the prompt (total length 5000) is too long ...", "longer than the maximum model length"
    r"max_model_len|maximum model length|max_seq_len",
    # Anthropic: "prompt is too long: 210000 tokens > 200000 maximum"; Mistral, Bedrock likewise
    r"(prompt|input)( \([^)]{0,80}\))? (is|are) too (long|large)|prompt is longer than",
    r"too large for model|too many (input )?tokens|exceeds? the (maximum )?(token|input) limit",
    # Gemini: "The input token count (2845475) exceeds the maximum number of tokens allowed (...)"
    r"token count[^.]{0,40} exceeds|maximum number of (input )?tokens",
    # TGI: "`inputs` tokens + `max_new_tokens` must be <= 4096", "`inputs` must have less than ..."
    r"`?inputs`? (tokens \+ `?max_new_tokens`? must be|must have (less|fewer) than)",
    # SGLang: "Requested token count exceeds the model's maximum context length",
    # "The input (61709 tokens) is longer than the model's context length (40960 tokens)."
    r"is longer than the model's|input length \([^)]{0,40}\) exceeds",
    # OpenAI: "Please reduce the length of the messages"
    r"reduce the length of (the|your) (messages|prompt|input)",
    # codes: context_length_exceeded, exceed_context_size_error, string_above_max_length
    r"context_length_exceeded|exceed_context_size|string_above_max_length",
)
_TOO_LONG = re.compile("|".join(_WORDINGS), re.I)
# OpenAI and Azure, of a limit per minute that one request alone is over
_TOO_LARGE_FOR_A_MINUTE = re.compile(r"request too large for", re.I)
# llama.cpp and llama-cpp-python say it with 500, which is else a fault of the server
_TOO_LONG_AS_FAULT = re.compile(
    r"exceeds the available context size|exceed_context_size|exceed context window of", re.I
)
_WORDINGS_OF = {
    400: _TOO_LONG,
    422: _TOO_LONG,
    429: _TOO_LARGE_FOR_A_MINUTE,  # "too many tokens, please wait" means those of everybody
    500: _TOO_LONG_AS_FAULT,
}
_TOO_LARGE = 413  # says it by itself


def says_too_long(status: int, words: str) -> bool:
    """Whether a server that refuses a request means the length of its prompt.

    Args:
        status: of HTTP.
        words: the server's own; a request that it quotes may hold any.

    >>> says_too_long(400, "prompt is too long: 210000 tokens > 200000 maximum")
    True
    """
    wording = _WORDINGS_OF.get(status)
    return status == _TOO_LARGE or bool(wording and wording.search(words))
