"""Where a meta RM runs: text in, one logit out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from grm_plugin.engine import Limits
from grm_plugin.errors import ConfigError, EngineError, unknown
from grm_plugin.hookspecs import Register, hookimpl

__all__ = ["Classifier", "ClassifierFactory", "make_classifier"]


class Classifier(Protocol):
    """A sequence classifier with one output. All methods are called on one event loop."""

    async def start(self) -> None:
        """Make ready; called once before the first text.

        Raises:
            EngineError: with what is missing and what to do.
        """

    async def logits(self, texts: Sequence[str]) -> Sequence[float | EngineError]:
        """The raw logit of each text, in order; an error in place of one fails that text alone.

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


def _transformers(options: Mapping[str, Any], limits: Limits) -> Classifier:
    from grm_plugin.classifiers.transformers import TransformersClassifier

    return TransformersClassifier(options, limits)


def _server(options: Mapping[str, Any], limits: Limits) -> Classifier:
    from grm_plugin.classifiers.server import ServerClassifier

    return ServerClassifier(options, limits)


_ENGINES: Mapping[str, ClassifierFactory] = {
    "transformers": _transformers,
    "server": _server,
}


@hookimpl
def grm_register_classifiers(register: Register[ClassifierFactory]) -> None:
    """Offer the built-in classifiers."""
    for name, factory in _ENGINES.items():
        register(name, factory)


def make_classifier(options: Mapping[str, Any], limits: Limits) -> Classifier:
    """The built-in classifier that ``options`` name, not started yet.

    Args:
        options: ``engine`` is ``transformers`` or ``server``; the rest are options of that one.
        limits: what it must not exceed.

    Raises:
        ConfigError: no such engine, or options that it does not have.
    """
    own = dict(options)
    engine = own.pop("engine", None)
    if engine is None:
        raise ConfigError(f"classifier: engine: expected one of {', '.join(_ENGINES)}, got nothing")
    if engine not in _ENGINES:
        raise ConfigError(f"classifier: {unknown('engine', str(engine), _ENGINES)}")
    return _ENGINES[engine](own, limits)
