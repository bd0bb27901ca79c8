"""Which judgments vote: all of them, or the ones a meta RM rates best."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.engine import Limits
from grm_plugin.errors import ConfigError, EngineError, PluginError, TemplateError
from grm_plugin.pipeline.selecting import keep_best
from grm_plugin.pipeline.selectors import MetaRM, Rate, SelectAll
from grm_plugin.size import Size
from grm_plugin.types import Group, Judgment, Reason, Token

GROUP = Group.of("q", ["a", "b"])


def judgment(sample: int, meta_score: float | None = None) -> Judgment:
    return Judgment(sample, (0, 1), 0, f"text {sample}", (1, 2), meta_score=meta_score)


class Logits:
    """A meta RM that reads from a list."""

    def __init__(self, *logits: float | EngineError) -> None:
        self.logits_left, self.texts = list(logits), []

    async def start(self) -> None: ...

    async def logits(self, texts):
        self.texts += texts
        return [self.logits_left.pop(0) for _ in texts]

    async def close(self) -> None: ...


def meta_rm(classifier: Logits | None = None, **options: object) -> MetaRM:
    selector = MetaRM(options, Limits())
    selector._rater.classifier = classifier
    return selector


async def test_select_all_lets_every_judgment_vote() -> None:
    judgments = (judgment(0), judgment(1))
    selection = await SelectAll({}, Limits()).select(GROUP, judgments, Size(k=2))
    assert selection.judgments == judgments and not selection.failures


@given(st.lists(st.floats(-20, 20), min_size=1, max_size=12), st.integers(1, 14))
def test_the_best_k_meta_judgments_vote_and_all_come_back_in_order(
    logits: list[float], k_meta: int
) -> None:
    judgments = [judgment(sample, logit) for sample, logit in enumerate(logits)]
    kept = keep_best(judgments, k_meta)
    voted = [one.meta_score for one in kept if one.voted]
    assert [one.sample for one in kept] == list(range(len(logits)))
    assert sorted(voted, reverse=True) == sorted(logits, reverse=True)[:k_meta]


def test_a_tie_of_meta_scores_goes_to_the_earlier_sample() -> None:
    kept = keep_best([judgment(0, 1.0), judgment(1, 2.0), judgment(2, 2.0)], 1)
    assert [one.voted for one in kept] == [False, True, False]


def test_the_meta_scores_of_the_papers_table_17_drop_the_tied_sample() -> None:
    logits = (-15.7781, 1.3126, 1.6739)
    kept = keep_best([judgment(k, logit) for k, logit in enumerate(logits)], 2)
    assert [one.voted for one in kept] == [False, True, True]


@pytest.mark.parametrize(
    ("options", "size", "voting"),
    [
        ({}, {"k": 1}, 1),
        ({}, {"k": 2}, 1),
        ({}, {"k": 9}, 4),
        ({"k_meta": 3}, {"k": 9}, 3),
        ({"k_meta": 3}, {"k": 9, "k_meta": 5}, 5),
    ],
)
async def test_the_sizes_k_meta_goes_before_the_selectors_own_and_that_before_half_of_k(
    options: dict[str, int], size: dict[str, int], voting: int
) -> None:
    judgments = [judgment(sample, float(sample)) for sample in range(size["k"])]
    selection = await meta_rm(**options).select(GROUP, judgments, Size(**size))
    assert sum(one.voted for one in selection.judgments) == voting


async def test_the_meta_rm_reads_query_responses_and_judgment() -> None:
    classifier = Logits(1.0)
    await meta_rm(classifier=classifier).select(GROUP, [judgment(0)], Size(k=4))
    (text,) = classifier.texts
    assert "user: q" in text and "[The Begin of Response 2]\nb" in text and "text 0" in text


async def test_a_judgment_the_meta_rm_can_not_rate_is_dropped_not_scored() -> None:
    classifier = Logits(EngineError("HTTP 500"), float("nan"), 0.5)
    selection = await meta_rm(classifier=classifier).select(
        GROUP, [judgment(k) for k in range(3)], Size(k=4)
    )
    assert [one.sample for one in selection.judgments] == [2]
    assert [(one.sample, one.reason) for one in selection.failures] == [
        (0, Reason.META),
        (1, Reason.META),
    ]
    assert "HTTP 500" in selection.failures[0].detail


async def test_a_meta_rm_that_answers_too_little_is_named() -> None:
    class Short(Logits):
        async def logits(self, texts):
            return [0.5]

    with pytest.raises(PluginError, match=r"'meta_rm': its classifier: expected 2 logits"):
        await meta_rm(classifier=Short()).select(GROUP, [judgment(0), judgment(1)], Size(k=4))


async def test_a_recorded_meta_score_is_not_asked_for_again() -> None:
    classifier = Logits(1.0)
    selection = await meta_rm(classifier=classifier).select(
        GROUP, [judgment(0, 3.0), judgment(1)], Size(k=4)
    )
    assert [one.meta_score for one in selection.judgments] == [3.0, 1.0]
    assert len(classifier.texts) == 1


async def test_without_a_classifier_only_recorded_meta_scores_count() -> None:
    selection = await meta_rm().select(GROUP, [judgment(0, 3.0), judgment(1)], Size(k=4))
    assert [one.sample for one in selection.judgments] == [0]
    assert "no meta-score on record and no classifier" in selection.failures[0].detail


def test_wrong_options_are_refused_by_name() -> None:
    with pytest.raises(ConfigError, match=r"selector 'meta_rm': unknown key 'kmeta'.*'k_meta'"):
        meta_rm(kmeta=2)
    with pytest.raises(ConfigError, match="selector 'all': unknown key 'k_meta'"):
        SelectAll({"k_meta": 2}, Limits())


def test_a_meta_template_without_a_place_for_the_judgment_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "meta.txt"
    path.write_text("{{conversation}} {{responses}}")
    with pytest.raises(TemplateError, match=r"meta RM has no \{\{critique\}\}"):
        meta_rm(template=path)


async def test_judgments_with_probabilities_are_rated_each_by_its_own_run_and_sample() -> None:
    tokens = (Token("8", -0.1, {"8": -0.1}),)
    asked = [
        replace(judgment(sample), run=run, tokens=tokens) for run in (0, 1) for sample in (0, 1)
    ]
    selection = await meta_rm(Logits(1.0, 4.0, 3.0, 2.0), k_meta=2).select(GROUP, asked, Size(k=2))
    assert [one.meta_score for one in selection.judgments] == [1, 4, 3, 2]
    assert [one.voted for one in selection.judgments] == [False, True, True, False]


async def test_where_all_are_rated_one_that_can_not_be_votes_without_a_meta_score() -> None:
    judgments = [judgment(k) for k in range(3)]
    selector = Rate({"classifier": Logits(EngineError("too long"), float("nan"), 0.5)}, Limits())
    selection = await selector.select(GROUP, judgments, Size(k=4))
    assert [one.meta_score for one in selection.judgments] == [None, None, 0.5]
    assert all(one.voted for one in selection.judgments) and not selection.failures


async def test_a_meta_rm_that_rates_nothing_is_away() -> None:
    selector = Rate({"classifier": Logits(*[EngineError("HTTP 500")] * 2)}, Limits())
    selection = await selector.select(GROUP, [judgment(0), judgment(1)], Size(k=2))
    assert not selection.judgments
    assert {one.reason for one in selection.failures} == {Reason.META}
