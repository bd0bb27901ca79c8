"""The classifier tests share the judge server of the engine tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.engines.judge_server import JudgeServer


@pytest.fixture
def serve() -> Iterator[Callable[[JudgeServer], JudgeServer]]:
    with ExitStack() as stack:
        yield lambda server: stack.enter_context(server.running())
