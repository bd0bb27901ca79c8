"""The chat template of a model: what it makes of turns, and with what it ends an answer."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from grm_plugin.errors import RefusedError, quoted
from grm_plugin.prompts.control import is_mark
from grm_plugin.prompts.system import has_system, in_user_turn
from grm_plugin.types import Message

logger = logging.getLogger(__name__)

System = Literal["auto", "turn", "user"]
_SYSTEM, _USER, _ANSWER = "QXsystemX", "QXuserX", "QXanswerX"  # words that no template would change


class ChatTemplate:
    """Renders messages as the model was trained to see them.

    A template that refuses a system turn, or leaves its text out without a word, gets that text in
    front of the user's turn. A model without a template gets the contents, joined by blank lines.

    Args:
        tokenizer: of transformers, or one that can be called like it.
        system: ``turn`` leaves a system turn alone, ``user`` puts its text in front of the user's
            turn, ``auto`` does so where the template has no place for it.
        owner: how messages call the engine.
    """

    def __init__(self, tokenizer: Any, system: System = "auto", owner: str = "the judge") -> None:
        self._tokenizer, self._owner, self._system = tokenizer, owner, system
        self._folds: bool | None = {"turn": False, "user": True}.get(system)
        self._deciding = threading.Lock()

    @property
    def is_there(self) -> bool:
        """Whether the model has a chat template at all."""
        return bool(self._tokenizer.chat_template)

    @property
    def altered(self) -> Mapping[str, Any]:
        """What the judge does not get as it was asked for, for the record."""
        return {"system": "in the user turn"} if self._folds and self.is_there else {}

    def rendered(self, messages: Sequence[Message], *, answer: bool = True) -> str:
        """The text of ``messages``, ready for the model's answer unless ``answer`` is false.

        Raises:
            RefusedError: the template takes no such turns, whatever they hold.
        """
        if not self.is_there:
            return "\n\n".join(message.content for message in messages)
        if has_system(messages) and self._takes_no_system():
            messages = in_user_turn(messages)
        try:
            return self._applied(messages, answer=answer)
        except Exception as error:  # a wall of its own: templates raise what they like
            roles = ", ".join(message.role for message in messages)
            advice = (
                "set system: user, or leave system out of" if has_system(messages) else "see to"
            )
            raise RefusedError(
                f"{self._owner}: the chat template takes no turns of {quoted(roles)}: "
                f"{quoted(error, 200)}; {advice} the prompt template"
            ) from error

    def ends(self) -> dict[int, str]:
        """The control token that the template writes behind the last answer, by its id.

        Checkpoints leave it out of their end tokens; a judge then goes on with the user's turn.
        """
        text = self._tried([Message("user", _USER), Message("assistant", _ANSWER)], answer=False)
        behind = text.rpartition(_ANSWER)[2].lstrip() if _ANSWER in text else ""
        added = dict(getattr(self._tokenizer, "added_tokens_decoder", None) or {})
        found = {int(one): str(token) for one, token in added.items() if is_mark(str(token))}
        fitting = {one: token for one, token in found.items() if behind.startswith(token)}
        longest = max(fitting, key=lambda one: len(fitting[one]), default=None)
        return {} if longest is None else {longest: fitting[longest]}

    def _takes_no_system(self) -> bool:
        with self._deciding:
            if self._folds is None:
                shown = self._tried([Message("system", _SYSTEM), Message("user", _USER)])
                self._folds = _SYSTEM not in shown
                if self._folds:
                    logger.warning(
                        "%s: the chat template has no system turn; its text goes in front of the "
                        "user's turn",
                        self._owner,
                    )
            return self._folds

    def _tried(self, messages: Sequence[Message], *, answer: bool = True) -> str:
        """What the template makes of ``messages``; empty where it takes none such."""
        try:
            return self._applied(messages, answer=answer) if self.is_there else ""
        except Exception:  # see above
            return ""

    def _applied(self, messages: Sequence[Message], *, answer: bool = True) -> str:
        turns = [{"role": message.role, "content": message.content} for message in messages]
        return str(
            self._tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=answer)
        )
