"""How the tests against a real vLLM are run."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fixtures of a module live on one loop, and a start may be slow on a busy machine."""
    for item in items:
        item.add_marker(pytest.mark.asyncio(loop_scope="module"), append=False)
        item.add_marker(pytest.mark.timeout(600))
