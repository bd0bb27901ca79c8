"""How long the stress goes on: a quick form everywhere, a long one with ``FAULTS=long``."""

from __future__ import annotations

import os

import pytest

LONG = os.environ.get("FAULTS") == "long"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what the quick form does not claim at all."""
    long = [] if LONG else [one for one in items if one.get_closest_marker("long")]
    if long:
        items[:] = [one for one in items if one not in long]
        config.hook.pytest_deselected(items=long)
