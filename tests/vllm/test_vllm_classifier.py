from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio
from real_vllm import CONTEXT, FAST, MODEL, PROMPTS, running

from grm_plugin.classifiers import Answer, Classifier, Rating
from grm_plugin.classifiers.server import ServerClassifier
from grm_plugin.classifiers.transformers import TransformersClassifier
from grm_plugin.engine import Limits
from grm_plugin.errors import EngineError
from grm_plugin.spct.meta_data import MetaRow
from grm_plugin.spct.meta_settings import MetaTraining
from grm_plugin.types import Message

ARGS = (
    *("--runner", "pooling", "--convert", "classify", "--max-model-len", str(CONTEXT)),
    *("--dtype", "float32", "--enforce-eager", "--kv-cache-memory-bytes", str(64 << 20)),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A meta RM as `grm train meta` makes it of the reference judge, after a step of training."""
    from grm_plugin.spct.meta_training import train_meta_rm

    folder = tmp_path_factory.mktemp("meta")
    rows = [
        MetaRow(f"{PROMPTS[n % len(PROMPTS)]} {n}", n % 2, 1.0, f"g{n}", 2, f"g{n}", "train")
        for n in range(16)
    ]
    settings = MetaTraining(str(MODEL), folder, learning_rate=1e-4, batch=16, device_batch=16)
    train_meta_rm(rows, settings, lambda step, steps, loss: None)
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(folder: Path) -> AsyncIterator[Classifier]:
    serve = {"model": str(folder), "args": ARGS, "env": FAST, "log": folder / "server.log"}
    async with running(ServerClassifier({"serve": serve}, Limits())) as started:
        yield started


def logits_of(answers: Sequence[Answer]) -> list[float]:
    """Those of the answers that are scores."""
    return [one.logit for one in answers if isinstance(one, Rating)]


async def test_a_served_meta_rm_gives_the_logits_of_transformers(
    served: Classifier, folder: Path
) -> None:
    async with running(TransformersClassifier({"model": str(folder)}, Limits())) as local:
        plain = logits_of(await local.logits(PROMPTS))
    assert logits_of(await served.logits(PROMPTS)) == pytest.approx(plain, abs=1e-3)
    assert len({round(logit, 3) for logit in plain}) == len(PROMPTS)


async def test_a_text_over_the_context_fails_alone(served: Classifier) -> None:
    short, long = await served.logits([PROMPTS[0], "rain and wind " * CONTEXT])
    assert isinstance(short, Rating) and short.prompt_tokens
    assert isinstance(long, EngineError)
    assert str(CONTEXT) in str(long)


async def test_a_served_scalar_rm_reads_conversations_as_transformers_does(
    served: Classifier, folder: Path
) -> None:
    conversations = [
        [Message("user", prompt), Message("assistant", f"words: {word}")]
        for prompt in PROMPTS
        for word in ("rain", "wind, rain")
    ]
    async with running(TransformersClassifier({"model": str(folder)}, Limits())) as local:
        plain = logits_of(await local.logits_of_conversations(conversations))
    found = logits_of(await served.logits_of_conversations(conversations))
    assert found == pytest.approx(plain, abs=1e-3)
    assert len({round(logit, 3) for logit in plain}) > len(PROMPTS)
