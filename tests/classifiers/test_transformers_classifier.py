from __future__ import annotations

from pathlib import Path

import pytest

from grm_plugin.classifiers import Rating
from grm_plugin.errors import EngineError
from tests.classifiers.test_classifiers import started

torch = pytest.importorskip("torch")

TEXTS = ["ba", "ba be bi bo bu", "ka ki", "la " * 40]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    from tests.engines.tiny_models import save_classifier

    return save_classifier(tmp_path_factory.mktemp("meta"))


async def test_logits_are_those_of_each_text_alone_in_the_plain_model(folder: Path) -> None:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    model = AutoModelForSequenceClassification.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    async with started(name="transformers", model=str(folder)) as classifier:
        found = await classifier.logits(TEXTS)
    with torch.inference_mode():
        plain = [model(**tokenizer(text, return_tensors="pt")).logits.item() for text in TEXTS]
        tokens = [len(tokenizer(text).input_ids) for text in TEXTS]
    assert [one.logit for one in found] == pytest.approx(plain, abs=1e-5)
    assert [one.prompt_tokens for one in found] == tokens
    assert max(plain) - min(plain) > 1e-2


async def test_short_texts_are_not_padded_to_a_long_one(folder: Path) -> None:
    shapes: list[tuple[int, ...]] = []
    async with started(name="transformers", model=str(folder)) as classifier:
        classifier._model.model.register_forward_pre_hook(
            lambda _, args: shapes.append(tuple(args[0].shape))
        )
        await classifier.logits([*["ba be"] * 13, "la " * 200])
    assert shapes == [(1, 200), (13, 2)]


async def test_a_text_may_use_the_whole_vocabulary(folder: Path) -> None:
    from tests.engines.tiny_models import SPECIALS, WORDS

    everything = " ".join((*SPECIALS, *WORDS))
    async with started(name="transformers", model=str(folder)) as classifier:
        (alone,) = await classifier.logits([everything])
        together = await classifier.logits([everything, "ba"])
    assert together[0].logit == pytest.approx(alone.logit, abs=1e-5)


async def test_a_text_over_the_context_fails_alone_and_is_not_truncated(folder: Path) -> None:
    async with started(name="transformers", model=str(folder)) as classifier:
        short, long = await classifier.logits(["ba", "ba " * 300])
    assert isinstance(short, Rating)
    assert isinstance(long, EngineError)
    assert "a text of 300 tokens is over the context of 256" in str(long)


async def test_no_texts_give_no_logits(folder: Path) -> None:
    async with started(name="transformers", model=str(folder)) as classifier:
        assert await classifier.logits([]) == []


async def test_weights_of_a_judge_are_refused(tmp_path: Path) -> None:
    from tests.engines.tiny_models import save_judge

    with pytest.raises(EngineError, match=r"has no weights for 'score\.weight'"):
        async with started(name="transformers", model=str(save_judge(tmp_path))):
            pass


async def test_a_classifier_with_two_labels_is_refused(tmp_path: Path) -> None:
    from tests.engines.tiny_models import save_classifier

    folder = save_classifier(tmp_path, labels=2)
    with pytest.raises(EngineError, match="can not be loaded"):
        async with started(name="transformers", model=str(folder)):
            pass
