"""From messages to the prompt tokens of a local model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from grm_plugin.errors import ContextError
from grm_plugin.types import Message


def prompt_tokens(tokenizer: Any, messages: Sequence[Message]) -> list[int]:
    """Token ids of ``messages`` in the model's chat template, ready for its answer.

    A model without a chat template gets the contents of the messages, joined by blank lines.
    """
    if not tokenizer.chat_template:
        plain = "\n\n".join(message.content for message in messages)
        return list(tokenizer(plain).input_ids)
    turns = [{"role": message.role, "content": message.content} for message in messages]
    text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    # the template writes the special tokens itself
    return list(tokenizer(text, add_special_tokens=False).input_ids)


def check_context(owner: str, prompt: int, max_tokens: int, context: int | None) -> None:
    """Refuse what does not fit; a prompt is never truncated.

    Args:
        owner: how the message calls the engine, say ``engine 'vllm'``.
        prompt: tokens of the prompt.
        max_tokens: tokens the judge may write.
        context: tokens the judge can hold; None when not known.

    Raises:
        ContextError: names the numbers and what to do.
    """
    if context is not None and prompt + max_tokens > context:
        raise ContextError(
            f"{owner}: {prompt} prompt tokens and max_tokens {max_tokens} are over the judge's "
            f"context of {context}; lower max_tokens or show fewer or shorter responses"
        )
