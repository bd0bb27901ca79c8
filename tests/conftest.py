"""What all tests share: quick and thorough property tests, and no configuration from outside."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

slow_machine = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
settings.register_profile(
    "quick", max_examples=60, deadline=None, suppress_health_check=slow_machine
)
settings.register_profile(
    "thorough", max_examples=2000, deadline=None, suppress_health_check=slow_machine
)
# A shell's background job ignores Ctrl-C, and would pass that on to the processes tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)
# litellm looks up its prices on the network while it is imported, unless it is told not to.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


# Suites that need more than the core: they are collected only when -m names them, say -m trl.
SUITES = {
    "trl": (
        "e2e/trl",
        "e2e/recipes",
        "adapters/trl",
        "recipes/test_recipes.py",
        "recipes/test_launch.py",
        "recipes/test_merge_adapter.py",
        "recipes/test_prompts_that_fit.py",
        "recipes/test_real_size.py",
        "recipes/test_spct_recipes.py",
    ),
    "vllm": ("vllm",),
    "openrlhf": (
        "e2e/openrlhf",
        "adapters/openrlhf",
        "recipes/test_openrlhf_recipes.py",
        "recipes/test_real_size_openrlhf.py",
    ),
    "ray_serve": ("e2e/serving", "serving/test_slow_cluster.py"),
    "faults": (
        "faults",
        "cli/test_train_refresh.py",
        "recipes/test_launch_refresh.py",
        "spct/test_refresh_process.py",
    ),
    "browser": ("e2e/page",),
}
# Run in every suite that names them, too: with more installed they show more.
MARKED = {**SUITES, "docs": ("docs",), "contract": ("adapters/test_contract.py",)}
HERE = Path(__file__).parent


def _in_suite(path: Path, suite: str) -> bool:
    return any(path.is_relative_to(HERE / place) for place in MARKED[suite])


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out suites that are not named, and modules of tests that hold none (no doctests)."""
    if collection_path.suffix == ".py" and not collection_path.name.startswith("test_"):
        return True if collection_path.is_relative_to(HERE) else None
    named = set(re.findall(r"\w+", config.option.markexpr))
    unnamed = [suite for suite in SUITES if suite not in named]
    return True if any(_in_suite(collection_path, suite) for suite in unnamed) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for suite in MARKED:
            if _in_suite(item.path, suite):
                item.add_marker(suite)


@pytest.fixture(autouse=True)
def no_outside_config(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRM_CONFIG", raising=False)
