"""A tiny judge that comes as an installed plug-in; ``grm`` in this process and in its own."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from grm_plugin import plugins
from grm_plugin.cli import NO_BARS, main

ROOT = Path(__file__).parents[2]
RUN = [sys.executable, "-c", "from grm_plugin.cli import main; main()"]

TINY_JUDGE = '''
"""``tiny`` scores a response by its length, with ``by_place`` by its place: 9, 3, 2, 1. The word
CUT in a prompt cuts the judgment off.

``stuck`` takes a minute to start, in a thread that nothing can end. ``tiny_meta`` is a meta RM
that likes long texts, and as a scalar RM each character of a response is a logit of 1.
"""
import asyncio
import re
import time
from pathlib import Path

from grm_plugin import hookimpl
from grm_plugin.testing import ScriptedEngine
from grm_plugin.engine import Draw

SHOWN = re.compile(r"\\[The Begin of Response \\d+\\]\\n(.*?)\\n\\[The End", re.DOTALL)


def make(options, limits):
    log = Path(options["log"])

    def judge(request, i):
        with log.open("a") as file:
            file.write(f"{request.group} {request.first + i}\\n")
        text = request.messages[-1].content
        scores = [1 + len(response) % 10 for response in SHOWN.findall(text)]
        if options.get("by_place"):
            scores = [9, 3, 2, 1][: len(scores)]
        lines = [f"Response {p}: {score} points." for p, score in enumerate(scores, 1)]
        box = ", ".join(map(str, scores))
        answer = "Analysis:\\n" + "\\n".join(lines) + f"\\nScores: \\\\boxed{{{box}}}"
        return Draw(answer, "length" if "CUT" in text else "stop", 10, 5)

    engine = ScriptedEngine(judge, delay_s=options.get("delay_s", 0.0))
    engine.model = options.get("model", engine.model)
    return engine


class Stuck(ScriptedEngine):
    def __init__(self, options, limits):
        super().__init__(["x"])
        self.log = Path(options["log"])

    async def start(self):
        self.log.touch()
        await asyncio.to_thread(time.sleep, 60)


class Meta:
    def __init__(self, options, limits):
        self.log = Path(options["log"])

    async def start(self):
        pass

    async def logits(self, texts):
        with self.log.open("a") as file:
            file.write("rated\\n" * len(texts))
        return [len(text) / 100 for text in texts]

    async def logits_of_conversations(self, conversations):
        return await self.logits([100 * turns[-1].content for turns in conversations])

    async def close(self):
        pass


@hookimpl
def grm_register_engines(register):
    register("tiny", make)
    register("stuck", Stuck)


@hookimpl
def grm_register_classifiers(register):
    register("tiny_meta", Meta)
'''


@dataclass(frozen=True)
class Ended:
    """How a command ended; ``out`` and ``err`` with single spaces for line breaks."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A language model of random weights."""
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    from tests.engines.tiny_models import save_judge

    return save_judge(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as pip would fill it: the module ``tiny_judge`` and its entry point."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "tiny_judge.py").write_text(TINY_JUDGE)
    info = folder / "tiny_judge-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny-judge\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[grm_plugin]\ntiny_judge = tiny_judge\n")
    return folder


@pytest.fixture
def tiny(site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The tiny judge, installed for this test."""
    monkeypatch.syspath_prepend(site)
    monkeypatch.delenv("GRM_CONFIG", raising=False)
    plugins.installed.cache_clear()
    yield
    plugins.installed.cache_clear()


@pytest.fixture
def grm(
    tiny: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Ended]:
    """``grm`` in this process, run in an empty folder."""
    monkeypatch.chdir(tmp_path)
    for name in NO_BARS:  # which the command sets, for a process of its own
        monkeypatch.setenv(name, "1")

    def run(*args: str, stdin: bytes = b"") -> Ended:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as ended:
            main([str(arg) for arg in args])
        out, err = capsys.readouterr()
        return Ended(int(ended.value.code or 0), _flat(out), _flat(err))

    return run


@pytest.fixture
def environment(site: Path) -> dict[str, str]:
    """The environment of a process that finds the package and the tiny judge."""
    inherited = {name: value for name, value in os.environ.items() if name != "GRM_CONFIG"}
    return {**inherited, "PYTHONPATH": f"{ROOT}{os.pathsep}{site}"}


@pytest.fixture
def process(environment: dict[str, str], tmp_path: Path) -> Callable[..., subprocess.Popen[bytes]]:
    """``grm`` in a process of its own, in an empty folder, with pipes."""

    def start(*args: str, **more: Any) -> subprocess.Popen[bytes]:
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        return subprocess.Popen(
            [*RUN, *map(str, args)], env=environment, cwd=tmp_path, **{**pipes, **more}
        )

    return start


def _flat(text: str) -> str:
    return " ".join(text.split())
