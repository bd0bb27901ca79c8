from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from grm_plugin.classifiers import Classifier, make_classifier
from grm_plugin.engine import Limits
from grm_plugin.errors import ConfigError


@asynccontextmanager
async def started(**options: Any) -> AsyncIterator[Classifier]:
    classifier = make_classifier(options, Limits(tries=2))
    await classifier.start()
    try:
        yield classifier
    finally:
        await classifier.close()


@pytest.mark.parametrize(
    ("options", "telling"),
    [
        ({}, "classifier: engine: expected one of transformers, server, got nothing"),
        ({"engine": "sever"}, "unknown engine 'sever'.*did you mean 'server'"),
        ({"engine": "transformers"}, "classifier 'transformers': model: Field required"),
        ({"engine": "server", "url": "http://h", "k": 1}, "classifier 'server': unknown key 'k'"),
    ],
)
def test_wrong_options_are_config_errors(options: dict[str, Any], telling: str) -> None:
    with pytest.raises(ConfigError, match=telling):
        make_classifier(options, Limits())
