"""One Ray cluster for all runs; without OpenRLHF there is nothing to test here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("openrlhf")
pytest.importorskip("vllm")

from tests.e2e.openrlhf.trainer import cluster


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A run takes a minute on idle cores, and several on a busy machine."""
    for item in items:
        item.add_marker(pytest.mark.timeout(1200))


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Of a Ray cluster."""
    with cluster() as running:
        yield running
