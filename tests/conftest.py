"""What all tests share: quick and thorough property tests, and no configuration from outside."""

from __future__ import annotations

import os
import signal

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
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


@pytest.fixture(autouse=True)
def no_outside_config(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRM_CONFIG", raising=False)
