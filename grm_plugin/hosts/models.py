"""Where the settings of a judge name a model, which a server may hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from grm_plugin.config import GRMConfig
from grm_plugin.options import put
from grm_plugin.watching.options import CONTROL

_OF_A_JUDGE = ("engine", "select.classifier", "scalar.classifier")
PLACES = (*_OF_A_JUDGE, *(f"{CONTROL}.{place}" for place in _OF_A_JUDGE))
"""The settings that may name a model: the judge's, the meta RM's, the scalar RM's, and the same of
the control judge."""


def models(config: GRMConfig) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The models that the settings name: the setting, and the part's name and options.

    >>> control = {"judge": {"engine.url": "http://b"}}
    >>> config = GRMConfig(engine="reference", watch={"control": control})
    >>> list(models(config))
    [('engine', {'name': 'reference'}), ('watch.control.judge.engine', {'url': 'http://b'})]
    """
    settings = config.model_dump()
    for place in PLACES:
        if found := _at(settings, place):
            yield place, found


def model_at(config: GRMConfig, place: str) -> Mapping[str, Any]:
    """The name and options of one of them; empty where the settings name none."""
    return dict(models(config)).get(place, {})


def _at(settings: Mapping[str, Any], place: str) -> Mapping[str, Any] | None:
    found: Any = settings
    for key in place.split("."):
        found = _nested(found).get(key) if isinstance(found, Mapping) else None
    return {"name": found} if isinstance(found, str) else found


def _nested(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of which some have dotted names, as those of a control judge may."""
    found: dict[str, Any] = {}
    for key in sorted(settings, key=lambda key: key.count(".")):
        put(found, key, settings[key])
    return found
