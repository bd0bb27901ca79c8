"""A judge, its scalar RM and its control judge are loaded on threads of their own, at once."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from grm_plugin.local.loading import load  # noqa: E402
from grm_plugin.local.options import LocalModelOptions  # noqa: E402
from grm_plugin.reference.judge import BASE  # noqa: E402


@pytest.fixture
def eager_switches() -> Iterator[None]:
    """Threads take turns a thousand times as often."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(usual / 1000)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("eager_switches")
def test_models_that_are_loaded_at_once_are_whole() -> None:
    options = LocalModelOptions(model=str(BASE), device="cpu")

    def whole(place: int) -> bool:
        model, _ = load(transformers.AutoModelForCausalLM, options, f"judge {place}")
        return not any(one.is_meta for one in model.parameters())

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(whole, range(12)))
    assert not torch.empty(1).is_meta
