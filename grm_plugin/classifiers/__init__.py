"""Where a meta RM runs: text in, one logit out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from grm_plugin.engine import Limits
from grm_plugin.errors import ConfigError, EngineError
from grm_plugin.hookspecs import Register, hookimpl
from grm_plugin.lazily import Lazily

__all__ = ["TEMPLATE", "Classifier", "ClassifierFactory", "Rating", "named", "template_beside"]


@dataclass(frozen=True, slots=True)
class Rating:
    """A logit, and the tokens that were read for it; 0 when nobody tells."""

    logit: float
    prompt_tokens: int = 0


class Classifier(Protocol):
    """A sequence classifier with one output. All methods are called on one event loop.

    It may say ``start_limit_s``, as an engine may, and in ``template`` the path of the template it
    was trained on (None: it does not know), which holds where the settings name none.
    """

    async def start(self) -> None:
        """Make ready; called once before the first text.

        Raises:
            EngineError: with what is missing and what to do.
        """

    async def logits(self, texts: Sequence[str]) -> Sequence[float | Rating | EngineError]:
        """The raw logit of each text, in order; an error in place of one fails that text alone.

        A :class:`Rating` in place of a logit tells what it cost, too.

        A text over the model's context is such an error: it is never truncated.

        Raises:
            EngineError: all texts failed.
        """

    async def close(self) -> None:
        """Free what ``start`` took; may be called twice."""


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
