"""The host's real executor around a rollout engine that answers from a script."""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from grm_plugin.plugins import Plugin
from grm_plugin.testing import ScriptedEngine, scripted

pytest.importorskip("openrlhf.utils.agent")
pytest.importorskip("ray")

import ray
from openrlhf.utils.agent import SingleTurnAgentExecutor

import grm_openrlhf.plugin
from grm_openrlhf.rollouts import ScoredRollouts
from grm_openrlhf.settings import RunSettings
from grm_plugin.plugins import Plugins
from tests.adapters.openrlhf.stand_in import cluster

COMPILED = "flash_attn_2_cuda"  # the part of flash-attn that is there for GPUs only
if COMPILED not in sys.modules and importlib.util.find_spec(COMPILED) is None:
    sys.modules[COMPILED] = ModuleType(COMPILED)

# releases since 0.10.0 hand images over
TAKEN = inspect.signature(SingleTurnAgentExecutor.execute).parameters
IMAGES: dict[str, Any] = {"images": None} if "images" in TAKEN else {}
POLICY = Path(grm_openrlhf.plugin.__file__).parents[2] / "grm_plugin/reference/policy_model"


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    """That of the tiny reference policy."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(POLICY)


@pytest.fixture(scope="module")
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    """Of a Ray cluster that believes it has GPUs, of as many ``NODES`` as the module says, or 1."""
    nodes = getattr(request.module, "NODES", 1)
    with cluster(nodes=nodes, include_dashboard=False) as running:
        yield running.address


@pytest.fixture
def joined(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a process that has joined that cluster."""
    monkeypatch.chdir(tmp_path)
    ray.init(address, log_to_driver=False)
    yield tmp_path
    ray.shutdown()


@dataclass
class RolloutEngine:
    """Stands in for vLLM: gives texts in turn, as tokens; an exception is raised instead."""

    tokenizer: Any
    texts: deque[str | Exception]
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    when_used: Callable[[], object] = lambda: None

    async def generate(self, prompt_token_ids: list[int], sampling: Any, **_: Any) -> Any:
        self.when_used()
        text = self.texts.popleft()
        await self.opened.wait()
        if isinstance(text, Exception):
            raise text
        tokens = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        tokens.append(self.tokenizer.eos_token_id)
        output = SimpleNamespace(token_ids=tokens, text=text, finish_reason="stop", logprobs=None)
        return SimpleNamespace(outputs=[output])


@dataclass
class Actor:
    """A rollout actor of the host, without Ray and without vLLM."""

    executor: Any
    tokenizer: Any

    async def generate_responses(
        self,
        prompt: str,
        texts: Sequence[str | Exception],
        *,
        label: Any = "",
        temperature: float = 1.0,
        engine: RolloutEngine | None = None,
        sampling: Any = None,
    ) -> list[dict[str, Any]]:
        """All samples of one prompt, started as the host starts them."""
        sampling = sampling or SimpleNamespace(
            temperature=temperature, max_tokens=64, logprobs=None
        )
        if engine is None:
            engine = RolloutEngine(self.tokenizer, deque(texts))
            engine.opened.set()
        tasks = [
            self.executor.execute(
                prompt=prompt,
                label=label,
                sampling_params=sampling,
                max_length=512,
                hf_tokenizer=self.tokenizer,
                llm_engine=engine,
                **IMAGES,
            )
            for _ in texts
        ]
        return list(await asyncio.gather(*tasks))


def with_adapter(script: Any) -> Plugins:
    """A scripted judge, and this adapter announced as an installed one is."""
    known = {plugin.name for plugin in scripted([]).plugins}
    more = [] if "openrlhf" in known else [Plugin("openrlhf", grm_openrlhf.plugin)]
    return scripted(script, *more)


MakeActor = Callable[..., Actor]


@pytest.fixture
def actor(tokenizer: Any) -> MakeActor:
    """Makes actors whose judge follows a script."""

    def made(script: Any, *, run: Any = None, roll_out: Any = None, **config: Any) -> Actor:
        settings = RunSettings(
            config={"engine": "scripted", "k": 2, "seed": 1, **config}, **(run or {})
        )
        roll_out = roll_out or SingleTurnAgentExecutor().execute
        plugins = with_adapter(script)
        return Actor(ScoredRollouts(roll_out, settings, plugins=plugins), tokenizer)

    return made


@pytest.fixture
def by_length() -> ScriptedEngine:
    """A judge that gives each response its number of words as score, and remembers requests."""
    return ScriptedEngine(_by_length)


def _by_length(request: Any, i: int) -> str:
    return f"\\boxed{{{', '.join(str(len(text.split())) for text in shown(request))}}}"


def shown(request: Any) -> list[str]:
    """The responses that the judge was shown, in that order."""
    prompt = request.messages[-1].content
    parts = prompt.split("[The Begin of Response ")[1:]
    return [part.partition("]\n")[2].partition("\n[The End of Response")[0] for part in parts]
