"""What a scalar RM reads of a group, as tokens: in training as in use."""

from __future__ import annotations

from typing import Any

from grm_plugin.errors import ConfigError
from grm_plugin.local.chat import ChatEncoder
from grm_plugin.pipeline.scalar_reading import conversations_of, texts_of
from grm_plugin.prompts import Template
from grm_plugin.types import Group


class ScalarEncoder:
    """Encodes each response of a group with its conversation, as the classifier does it.

    Args:
        tokenizer: of transformers.
        owner: how messages call the model.
        template: what it reads; None: the chat template of the model.

    Raises:
        ConfigError: there is neither.
    """

    def __init__(self, tokenizer: Any, owner: str, template: Template | None = None) -> None:
        self._tokenizer, self._template = tokenizer, template
        self._chat = ChatEncoder(tokenizer, owner=owner)
        if not (template or self._chat.template.is_there):
            raise ConfigError(
                f"{owner} has no chat template, so nothing says how it reads a prompt and a "
                "response; name a file that does with --template"
            )

    def encode(self, group: Group) -> list[list[int]]:
        """Token ids of each of the N responses.

        Raises:
            InputError, TemplateError: the template can not show the group.
            RefusedError: the chat template takes no such turns.
        """
        control = self._chat.control_tokens
        if self._template is None:
            asked = conversations_of(group, group.responses, control)
            return [self._chat.encode(turns, answer=False) for turns in asked]
        texts = texts_of(self._template, group, range(len(group.responses)), control)
        return [list(self._tokenizer(text).input_ids) for text in texts]
