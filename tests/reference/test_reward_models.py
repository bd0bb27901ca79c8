"""The shipped stages as parts: which weights a name stands for, and what the meta RM is shown."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from grm_plugin import GRM, Group
from grm_plugin.classifiers import Rating
from grm_plugin.engine import Limits
from grm_plugin.errors import ConfigError
from grm_plugin.pipeline.rating import load_meta_template, shown_to_meta_rm
from grm_plugin.reference.judge import BASE, MODEL, ReferenceJudge
from grm_plugin.reference.prompt import META_TEMPLATE, render_prompt
from grm_plugin.reference.reward_models import (
    META_MODEL,
    SCALAR_MODEL,
    ReferenceMetaOptions,
    ReferenceScalarOptions,
    ShippedClassifier,
)
from grm_plugin.reference.tasks.data import draw_group
from grm_plugin.reference.tasks.teacher import draw_judgment
from grm_plugin.types import Judgment


def test_the_meta_rm_reads_what_the_judge_read_and_wrote_in_the_order_it_saw() -> None:
    rng = random.Random(1)
    group = draw_group(rng, "spct", responses=3)
    order = (2, 0, 1)
    seen = [group.responses[place] for place in order]
    written = draw_judgment(rng, group.task, seen)
    asked = Group.of(group.task.query, group.responses)
    (text,) = shown_to_meta_rm(
        load_meta_template(META_TEMPLATE), asked, [Judgment(0, order, 0, written, (1.0, 1.0, 1.0))]
    )
    assert text.rstrip("\n") == render_prompt(group.task.query, seen) + written


@pytest.mark.parametrize(
    ("options", "folder"),
    [
        ({}, MODEL),
        ({"stage": "final"}, MODEL),
        ({"stage": "base"}, BASE),
        ({"model": "mine", "stage": "base"}, Path("mine")),
    ],
)
def test_a_stage_names_shipped_weights_and_a_folder_goes_before(
    options: dict[str, str], folder: Path
) -> None:
    assert Path(ReferenceJudge()(options, Limits()).model) == folder


def test_a_stage_that_there_is_not_is_refused_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match=r"stage.*'final' or 'base'.*rft"):
        ReferenceJudge()({"stage": "rft"}, Limits())


def test_the_classifier_is_the_shipped_meta_rm_unless_a_folder_is_named(tmp_path: Path) -> None:
    classifier = ShippedClassifier(ReferenceMetaOptions)({}, Limits())
    assert classifier.options.model == str(META_MODEL)  # type: ignore[attr-defined]
    transformers = pytest.importorskip("transformers")
    made = transformers.AutoModelForSequenceClassification.from_pretrained(MODEL, num_labels=1)
    made.save_pretrained(tmp_path)
    transformers.AutoTokenizer.from_pretrained(MODEL).save_pretrained(tmp_path)
    found = asyncio.run(_logits(tmp_path, ["[Query]\nName some words", "[Query]\nName"]))
    assert len(set(found)) == 2


def test_the_shipped_meta_rm_weighs_what_the_shipped_judge_writes() -> None:
    pytest.importorskip("transformers")
    group = draw_group(random.Random(3), "spct", responses=3)
    weights = {"meta": 0.29, "margin": -0.02}
    select = {"name": "weights", "classifier": {"name": "reference"}, "coefficients": weights}
    with GRM(engine={"name": "reference"}, k=4, select=select) as grm:
        verdict = grm.score(group.task.query, group.responses)
    scores = [one.meta_score for one in verdict.judgments]
    assert len(set(scores)) == len(scores) == 4 and None not in scores
    assert len({one.weight for one in verdict.judgments}) == 4


def test_the_shipped_scalar_rm_brings_its_template_and_its_scaling() -> None:
    classifier = ShippedClassifier(ReferenceScalarOptions)({}, Limits())
    assert classifier.template == SCALAR_MODEL / "meta_template.txt"  # type: ignore[attr-defined]
    assert classifier.scaling.spread > 0  # type: ignore[attr-defined]
    assert (SCALAR_MODEL / "meta_template.txt").read_text() == (
        Path("recipes/coscaling/scalar.txt").read_text()
    )


def test_the_shipped_scalar_rm_stands_alone_beside_the_judge_and_in_front_of_it() -> None:
    pytest.importorskip("transformers")
    rng = random.Random(5)
    groups = [draw_group(rng, "heldout", responses=4) for _ in range(60)]
    mine = {"classifier": {"name": "reference-scalar"}}
    with GRM(scalar={**mine, "use": "alone"}) as grm:
        alone = [grm.score(one.task.query, one.responses) for one in groups]
    pairs = [
        (verdict.rewards[i] > verdict.rewards[j]) == (one.qualities[i] > one.qualities[j])
        for verdict, one in zip(alone, groups, strict=True)
        for i in range(4)
        for j in range(i)
        if one.qualities[i] != one.qualities[j]
    ]
    assert sum(pairs) > 0.8 * len(pairs)
    group = groups[0]
    with GRM(engine={"name": "reference"}, k=1, scalar={**mine, "use": "vote"}) as grm:
        both = grm.score(group.task.query, group.responses)
    assert both.scalar and both.scalar.scores == alone[0].scalar.scores  # type: ignore[union-attr]
    with GRM(
        engine={"name": "reference"}, k=1, scalar={**mine, "use": "cascade", "sure": 1.0}
    ) as grm:
        assert grm.score(group.task.query, group.responses).judgments


async def _logits(folder: Path, texts: list[str]) -> list[float]:
    classifier = ShippedClassifier(ReferenceMetaOptions)({"model": str(folder)}, Limits())
    await classifier.start()
    try:
        return [one.logit for one in await classifier.logits(texts) if isinstance(one, Rating)]
    finally:
        await classifier.close()
