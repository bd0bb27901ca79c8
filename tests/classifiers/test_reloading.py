"""A classifier whose weights are renewed while it is in use."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path

import pytest

from grm_plugin import GRM, Group
from grm_plugin.classifiers import TEMPLATE
from grm_plugin.classifiers.transformers import TransformersClassifier
from grm_plugin.engine import Limits
from grm_plugin.errors import EngineError
from grm_plugin.local.renewing import Renewing
from grm_plugin.pipeline.rating import Rater, RatingOptions
from grm_plugin.types import Judgment, Message

torch = pytest.importorskip("torch")

ASKED = [[Message("user", "ba be"), Message("assistant", text)] for text in ("bi ba", "ka")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two versions with heads that differ by their sign; the first one is current."""
    from safetensors.torch import load_file, save_file

    from grm_plugin.spct.versions import point
    from tests.spct.scalar_data import save_scalar_rm

    for number in (0, 1):
        version = save_scalar_rm(tmp_path / f"version-000{number}", center=float(number))
        weights = load_file(version / "model.safetensors")
        weights["score.weight"] *= 1 - 2 * number
        save_file(weights, version / "model.safetensors", {"format": "pt"})
    point(tmp_path, 0)
    return tmp_path


def started(folder: Path, **options: object) -> TransformersClassifier:
    return TransformersClassifier(
        {"model": str(folder / "current"), "reload": True, **options}, Limits()
    )


async def test_a_newer_version_rates_from_the_next_call_on_and_says_so(folder: Path) -> None:
    from grm_plugin.spct.versions import point

    classifier = started(folder)
    await classifier.start()
    before = await classifier.logits_of_conversations(ASKED)
    point(folder, 1)
    after = await classifier.logits_of_conversations(ASKED)
    again = await classifier.logits(["ba"])
    await classifier.close()
    assert [one.version for one in before] == ["version-0000"] * 2
    assert [one.version for one in (*after, *again)] == ["version-0001"] * 3
    assert [one.logit for one in after] == pytest.approx([-one.logit for one in before])
    assert before[0].scaling.center == 0 and after[0].scaling.center == 1


def test_who_is_made_before_there_is_a_version_reads_what_it_was_trained_to_read(
    folder: Path,
) -> None:
    from grm_plugin.spct.versions import point

    (folder / "version-0000" / TEMPLATE).write_text("lo {{conversation}} be {{responses}}")
    classifier = {"name": "transformers", "model": str(folder / "current"), "reload": True}
    scalar = {"use": "alone", "raw": True, "classifier": classifier}
    (folder / "current").unlink()
    with GRM(scalar=scalar) as early:
        point(folder, 0)
        with GRM(scalar=scalar) as late:
            asked = Group.of("ba be", ["bi ba", "ka"])
            assert early.score(asked).rewards == late.score(asked).rewards
            told = late.score(asked).origin["scalar"]
            assert told["center"] is told["spread"] is None  # no version's own, unless set


async def test_a_meta_rm_made_before_there_is_a_version_reads_what_it_was_trained_to_read(
    folder: Path,
) -> None:
    from grm_plugin.spct.versions import point

    (folder / "version-0000" / TEMPLATE).write_text(
        "lo {{conversation}} {{responses}} {{critique}}"
    )
    (folder / "current").unlink()
    early = Rater(RatingOptions(classifier=started(folder)), "early")
    point(folder, 0)
    late = Rater(RatingOptions(classifier=started(folder)), "late")
    judgment, found = Judgment(0, (0, 1), 0, "ka", (8.0, 3.0)), []
    for rater in (early, late):
        await rater.start()
        found += (await rater.rated(Group.of("ba be", ["bi", "ka"]), [judgment])).samples
        await rater.close()
    assert found[0].meta_score == found[1].meta_score is not None


async def test_without_reload_the_weights_stay_what_they_were(folder: Path) -> None:
    from grm_plugin.spct.versions import point

    classifier = started(folder, reload=False)
    await classifier.start()
    before = await classifier.logits(["ba"])
    point(folder, 1)
    assert await classifier.logits(["ba"]) == before
    await classifier.close()


async def test_a_version_that_can_not_be_loaded_is_told_once_and_passed_over(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from grm_plugin.spct.versions import point
    from tests.engines.tiny_models import config, tokenizer

    other = folder / "version-0002"
    from transformers import LlamaForSequenceClassification

    wide = config(num_labels=1)
    wide.intermediate_size = 32
    LlamaForSequenceClassification(wide).save_pretrained(other)
    tokenizer().save_pretrained(other)
    classifier = started(folder)
    await classifier.start()
    before = await classifier.logits(["ba"])
    with caplog.at_level(logging.WARNING):
        for number in (2, 3):  # other shapes, and no such folder
            point(folder, number)
            assert await classifier.logits(["ba"]) == before
            assert await classifier.logits(["ba"]) == before
    told = [one.getMessage() for one in caplog.records if "stays in use" in one.getMessage()]
    assert len(told) == 2 and "other shapes" in told[0] and "version-0003" in told[1]
    point(folder, 1)
    assert (await classifier.logits(["ba"]))[0].version == "version-0001"
    await classifier.close()


async def test_reload_without_a_link_is_refused_with_what_to_name(folder: Path) -> None:
    classifier = TransformersClassifier(
        {"model": str(folder / "version-0000"), "reload": True}, Limits()
    )
    with pytest.raises(EngineError, match=r"reload: expected a link .* keeps at OUT/current, got"):
        await classifier.start()


async def test_no_call_ever_sees_two_versions(tmp_path: Path) -> None:
    from grm_plugin.spct.versions import point

    loaded: list[str] = []
    (tmp_path / "version-0000").mkdir()
    point(tmp_path, 0)
    versions = Renewing(tmp_path / "current", lambda one: loaded.append(one.name), "it")
    loaded.append(versions.begin().name)

    async def call(number: int) -> tuple[str, str]:
        async with versions.in_use():
            seen = loaded[-1]
            if number % 3 == 0:
                point(tmp_path, number)
            await asyncio.sleep(0.001 * (number % 5))
            return seen, loaded[-1]

    found = []
    for start in range(0, 60, 6):
        found += await asyncio.gather(*(call(start + one) for one in range(1, 7)))
    assert all(first == last for first, last in found)
    assert len(set(loaded)) > 5 and len(loaded) == len(set(loaded))
    await versions.close()


async def test_a_version_that_comes_while_another_is_loaded_waits_until_all_are_out(
    tmp_path: Path,
) -> None:
    from grm_plugin.spct.versions import point

    inside, loading, torn, loaded = 0, False, [], []

    def load(folder: Path) -> None:
        nonlocal loading
        loading = True
        loaded.append(folder.name)
        torn.append(inside)
        if (number := int(folder.name[-4:])) < 20:
            point(tmp_path, number + 1)
        time.sleep(0.005)
        torn.append(inside)
        loading = False

    async def call() -> None:
        nonlocal inside
        async with versions.in_use():
            inside += 1
            torn.append(loading)
            await asyncio.sleep(0.001)
            inside -= 1

    point(tmp_path, 0)
    versions, calls = Renewing(tmp_path / "current", load, "it"), []
    versions.begin()
    point(tmp_path, 1)
    while "version-0020" not in loaded:
        calls.append(asyncio.create_task(call()))
        await asyncio.sleep(0)  # one arrives in every turn of the loop
    await asyncio.gather(*calls)
    assert not any(torn)


async def test_who_stops_waiting_for_a_version_does_not_stop_it_for_others(tmp_path: Path) -> None:
    from grm_plugin.spct.versions import point

    loaded: list[str] = []
    point(tmp_path, 0)
    versions = Renewing(tmp_path / "current", lambda one: loaded.append(one.name), "it")
    versions.begin()
    async with versions.in_use():
        point(tmp_path, 1)
        waits = asyncio.create_task(_enter(versions))
        gives_up = asyncio.create_task(_enter(versions))
        await asyncio.sleep(0.01)
        gives_up.cancel()
        await asyncio.sleep(0.01)
        assert not loaded and not waits.done()
    await waits
    assert loaded == ["version-0001"]


async def _enter(versions: Renewing) -> None:
    async with versions.in_use():
        pass
