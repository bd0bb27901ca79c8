"""Fixtures of the engine tests: a tiny judge on disk, servers, and short limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.engines.judge_server import JudgeServer

Serve = Callable[[JudgeServer], JudgeServer]


@pytest.fixture(scope="session")
def judge_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    from tests.engines.tiny_models import save_judge

    return save_judge(tmp_path_factory.mktemp("judge"))


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:
        yield lambda server: stack.enter_context(server.running())
