from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from grm_plugin.classifiers import Classifier, named
from grm_plugin.engine import Limits
from grm_plugin.errors import ConfigError
from grm_plugin.options import Options
from grm_plugin.plugins import installed


@asynccontextmanager
async def started(**options: Any) -> AsyncIterator[Classifier]:
    classifier = installed().make("classifier", *named(options), Limits(tries=2))
    await classifier.start()
    try:
        yield classifier
    finally:
        await classifier.close()


@pytest.mark.parametrize(
    ("options", "telling"),
    [
        ({}, "classifier: name: expected the name of a classifier, such as server, got None"),
        ({"name": "sever"}, "unknown classifier 'sever'.*did you mean 'server'"),
        ({"name": "transformers"}, "classifier 'transformers': model: required, and not given"),
        ({"name": "server", "url": "http://h", "k": 1}, "classifier 'server': unknown key 'k'"),
        ({"engine": "server", "url": "x"}, "engine is called name now: write {name: server, "),
    ],
)
def test_wrong_options_are_config_errors(options: dict[str, Any], telling: str) -> None:
    with pytest.raises(ConfigError, match=telling):
        installed().make("selector", "meta_rm", {"classifier": options}, Limits())


@pytest.mark.parametrize("kind", ["engine", "classifier"])
def test_every_built_in_factory_tells_its_options_before_it_makes_anything(kind: str) -> None:
    offers = [offer for offer in installed().offers() if offer.kind == kind]
    found = {offer.name: offer.part.Options for offer in offers if not offer.plugin.count("tiny")}
    assert {"transformers", "server"} <= found.keys()
    assert all(issubclass(options, Options) for options in found.values())
