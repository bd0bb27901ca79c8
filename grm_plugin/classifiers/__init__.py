"""Where a meta RM or a scalar RM runs: text, or a conversation, in; one logit out."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from grm_plugin.engine import Limits
from grm_plugin.errors import ConfigError, EngineError, quoted
from grm_plugin.hookspecs import Register, hookimpl
from grm_plugin.lazily import Lazily
from grm_plugin.types import Message

__all__ = [
    "SCALAR",
    "TEMPLATE",
    "Answer",
    "Classifier",
    "ClassifierFactory",
    "ConversationClassifier",
    "Rating",
    "Scaling",
    "logit_of",
    "named",
    "scaling_beside",
    "template_beside",
]


class Scaling(NamedTuple):
    """How the logits of a scalar RM are scaled: ``(logit - center) / spread``."""

    center: float = 0.0
    spread: float = 1.0


@dataclass(frozen=True, slots=True)
class Rating:
    """A logit, and what else is known of it.

    Args:
        logit: raw.
        prompt_tokens: that were read for it; 0 when nobody tells.
        version: of the weights, where they change while they are in use; else empty.
        scaling: of the logits of that version; None: as the classifier says.
    """

    logit: float
    prompt_tokens: int = 0
    version: str = ""
    scaling: Scaling | None = None


Answer = float | Rating | EngineError
"""What a classifier says of one text: its logit, the same with its cost, or why there is none."""


def logit_of(answer: Answer) -> float | EngineError:
    """The logit in what a classifier says of one text; why it is none, where it is no number."""
    logit = answer.logit if isinstance(answer, Rating) else answer
    if isinstance(logit, EngineError):
        return logit
    try:
        if math.isfinite(logit) and not isinstance(logit, bool):
            return float(logit)
    except TypeError:
        pass
    return EngineError(f"expected a finite logit, got {quoted(logit)}")


class Classifier(Protocol):
    """A sequence classifier with one output. All methods are called on one event loop.

    It may say ``start_limit_s``, as an engine may; in ``template`` the path of the template it
    was trained on (None: it does not know), which holds where the settings name none, and is looked
    at once more when it has started; in ``scaling`` the :class:`Scaling` of its logits, as it was
    measured; and in ``control_tokens``, once it has started, the texts that its tokenizer takes for
    control tokens, and in ``flops_per_token`` what one token that it reads takes.
    """

    async def start(self) -> None:
        """Make ready; called once before the first text.

        Raises:
            EngineError: with what is missing and what to do.
        """

    async def logits(self, texts: Sequence[str]) -> Sequence[Answer]:
        """The raw logit of each text, in order; an error in place of one fails that text alone.

        A :class:`Rating` in place of a logit tells what it cost, too.

        A text over the model's context is such an error: it is never truncated.

        Raises:
            EngineError: all texts failed.
        """

    async def close(self) -> None:
        """Free what ``start`` took; may be called twice."""


class ConversationClassifier(Classifier, Protocol):
    """One that can fill the chat template of its model, as a scalar RM is asked.

    Where ``control_tokens`` are not known by themselves, it may have ``find_control_tokens()``, a
    coroutine that is called once it has started.
    """

    async def logits_of_conversations(
        self, conversations: Sequence[Sequence[Message]]
    ) -> Sequence[Answer]:
        """As :meth:`logits`, of conversations that end with a response in the assistant's turn.

        Raises:
            EngineError: all failed, say because the model has no chat template.
        """


class ClassifierFactory(Protocol):
    """What ``grm_register_classifiers`` offers."""

    def __call__(self, options: Mapping[str, Any], limits: Limits) -> Classifier:
        """A classifier that is not started yet; wrong options raise ConfigError."""


TEMPLATE = "meta_template.txt"
"""The file beside a meta RM's weights that says what it was trained to read."""


def template_beside(model: str) -> Path | None:
    """The template in a model's folder, where there is one."""
    path = Path(model).expanduser() / TEMPLATE
    return path if path.is_file() else None


SCALAR = "scalar.json"
"""The file beside a scalar RM's weights that holds the scaling of its logits."""


def scaling_beside(model: str) -> Scaling | None:
    """The scaling in a model's folder, as `grm train scalar` notes it; None where there is none.

    Raises:
        EngineError: the file can not be read, or holds something else.
    """
    path = Path(model).expanduser() / SCALAR
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        center, spread = float(found["center"]), float(found["spread"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise EngineError(
            f"{path}: expected the numbers center and spread, as `grm train scalar` notes them, "
            f"got {quoted(error, 200)}"
        ) from error
    if not (math.isfinite(center) and 0 < spread < math.inf):
        raise EngineError(
            f"{path}: expected a finite center and a spread above 0, got {center} and {spread}"
        )
    return Scaling(center, spread)


_BUILT_IN: Mapping[str, ClassifierFactory] = {
    "transformers": Lazily(f"{__name__}.transformers", "TransformersClassifier"),
    "server": Lazily(f"{__name__}.server", "ServerClassifier"),
}


@hookimpl
def grm_register_classifiers(register: Register[ClassifierFactory]) -> None:
    """Offer the built-in classifiers."""
    for name, factory in _BUILT_IN.items():
        register(name, factory)


def named(classifier: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The name and the options of ``{name: server, url: ...}``.

    Raises:
        ConfigError: there is no name, or it is called by its old name ``engine``.
    """
    options = dict(classifier)
    if "engine" in options:
        raise ConfigError(
            "classifier: engine is called name now: write "
            f"{{name: {options['engine']}, ...}}, and the rest as before"
        )
    name = options.pop("name", None)
    if not isinstance(name, str):
        raise ConfigError(
            f"classifier: name: expected the name of a classifier, such as server, got {name!r}"
        )
    return name, options
