"""Soft weights: every judgment votes, and some count more than others."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from grm_plugin import GRM, Group, Size, hookimpl
from grm_plugin.engine import Limits
from grm_plugin.errors import ConfigError, EngineError, PluginError, RecordError
from grm_plugin.evaluation.accuracy import by_weight, settled_at
from grm_plugin.pipeline.case import Case
from grm_plugin.pipeline.selectors import Weigh, weighed
from grm_plugin.pipeline.settling import Rule, settle
from grm_plugin.pipeline.voting import borda, can_weigh, majority, mean, median, total
from grm_plugin.pipeline.weighing import Weighing, margin, margin_of, weights
from grm_plugin.plugins import Plugin
from grm_plugin.records import from_record, to_record
from grm_plugin.testing import scripted
from grm_plugin.types import Judgment, Reason, Scale, Verdict

SCALE = Scale(1, 10)
VOTERS = [mean, total, median, majority, borda]
GROUP = Group.of("q", ["a", "b"])


def judgment(sample: int, *scores: float, **more) -> Judgment:
    return Judgment(sample, tuple(range(len(scores))), 0, f"text {sample}", scores, **more)


@st.composite
def votes(draw) -> tuple[list[list[int]], list[float]]:
    """Rows of scores and a weight for each, at least one above 0."""
    k, n = draw(st.integers(1, 6)), draw(st.integers(1, 4))
    row = st.lists(st.integers(1, 10), min_size=n, max_size=n)
    weight = st.one_of(st.just(0.0), st.floats(0.01, 50))
    found = draw(st.lists(weight, min_size=k, max_size=k))
    assume(any(found))
    return draw(st.lists(row, min_size=k, max_size=k)), found


def close(left, right) -> bool:
    return all(math.isclose(a, b, abs_tol=1e-9) for a, b in zip(left, right, strict=True))


@pytest.mark.parametrize("voter", VOTERS)
@given(votes=votes(), weight=st.floats(0.01, 50))
def test_equal_weights_are_a_plain_vote(voter, votes, weight) -> None:
    rows, _ = votes
    assert close(voter(rows, SCALE, [weight] * len(rows)), voter(rows, SCALE))


@given(votes=votes(), weight=st.floats(0.01, 50))
def test_equal_weights_of_judgments_are_a_plain_vote_to_the_last_bit(votes, weight) -> None:
    rows, _ = votes
    n = len(rows[0])
    group = Group.of("q", [str(each) for each in range(n)])
    case = Case(group, group, (tuple(range(n)),), tuple(range(n)), Size(k=len(rows)), 1)
    plain = [judgment(k, *row) for k, row in enumerate(rows)]
    alike = [replace(one, weight=weight) for one in plain]
    for voter in VOTERS:
        rule = Rule("it", voter, SCALE)
        assert settle(alike, case, rule) == settle(plain, case, rule)


@pytest.mark.parametrize("voter", VOTERS)
@given(votes=votes(), power=st.integers(-6, 6))
def test_only_ratios_of_weights_count(voter, votes, power) -> None:
    rows, found = votes
    scaled = [weight * 2.0**power for weight in found]
    assert voter(rows, SCALE, scaled) == voter(rows, SCALE, found)


@pytest.mark.parametrize("voter", VOTERS)
@given(votes=votes())
def test_a_vote_of_weight_zero_is_as_good_as_none(voter, votes) -> None:
    rows, found = votes
    kept = [place for place, weight in enumerate(found) if weight]
    alone = voter([rows[k] for k in kept], SCALE, [found[k] for k in kept])
    assert close(voter(rows, SCALE, found), alone)


@pytest.mark.parametrize("voter", [mean, median, majority, borda])
@given(votes=votes())
def test_a_whole_weight_is_that_many_judgments(voter, votes) -> None:
    rows, _ = votes
    numbers = [place % 3 + 1 for place in range(len(rows))]
    repeated = [row for row, number in zip(rows, numbers, strict=True) for _ in range(number)]
    assert close(voter(rows, SCALE, numbers), voter(repeated, SCALE))


@given(votes=votes())
def test_a_weighted_sum_is_as_large_as_a_plain_one_of_the_judgments_that_count(votes) -> None:
    rows, found = votes
    number = sum(weight > 0 for weight in found)
    means = [reward * 9 + 1 for reward in mean(rows, SCALE, found)]
    assert close(total(rows, SCALE, found), [number * each for each in means])


def test_the_median_reaches_half_of_all_weight() -> None:
    assert median([[1], [5], [10]], SCALE, [1, 1, 3]) == (1.0,)
    assert median([[1], [5], [10]], SCALE, [1, 2, 3]) == (pytest.approx(6.5 / 9),)


@given(st.lists(st.tuples(st.floats(-9, 9), st.integers(0, 9)), min_size=1, max_size=8))
def test_weights_follow_their_coefficients_within_a_group(known) -> None:
    weighing = Weighing(meta=0.5, margin=0.25)
    found = weights([one for one, _ in known], [two for _, two in known], weighing)
    assert max(found) == 1.0
    for (meta, ahead), weight in zip(known, found, strict=True):
        other = found.index(1.0)
        gap = 0.5 * (meta - known[other][0]) + 0.25 * (ahead - known[other][1])
        assert weight == pytest.approx(math.exp(gap))


def test_a_weight_far_below_the_heaviest_does_not_vote() -> None:
    rated = [judgment(0, 9, 1, meta_score=3.0), judgment(1, 1, 9, meta_score=0.0)]
    assert [one.voted for one in weighed(rated, Weighing(meta=1, drop_below=0.1))] == [True, False]
    assert [one.voted for one in weighed(rated, Weighing(meta=1))] == [True, True]
    assert weighed([], Weighing(meta=1)) == ()


def test_the_margin_leaves_out_the_copies_of_a_response() -> None:
    copied = replace(judgment(0, 8, 8, 5), order=(0, 2))
    assert margin(copied.scores) == 0 and margin_of(copied) == 3


def test_weights_are_kept_in_a_record_and_old_records_weigh_alike() -> None:
    verdict = Verdict(GROUP, (1.0, 0.0), (judgment(0, 10, 1, weight=0.25),))
    record = to_record(verdict)
    assert from_record(record).judgments[0].weight == 0.25
    del record["judgments"][0]["weight"]
    assert from_record(record).judgments[0].weight == 1.0


@pytest.mark.parametrize("weight", [0.0, -1.0])
def test_a_record_with_a_weight_that_no_vote_has_is_refused(weight: float) -> None:
    record = to_record(Verdict(GROUP, None, (judgment(0, 10, 1),)))
    record["judgments"][0]["weight"] = weight
    with pytest.raises(RecordError, match="sample 0: expected a finite weight, above 0 where it"):
        from_record(record)


def test_recorded_judgments_are_weighed_again_at_any_k() -> None:
    rated = [judgment(0, 10, 1, meta_score=0.0), judgment(1, 1, 10, meta_score=math.log(3))]
    marks = by_weight(Weighing(meta=1))
    found = settled_at(Verdict(GROUP, None, tuple(rated)), Rule("mean", mean, SCALE), k=2,
                       marks=marks)  # fmt: skip
    assert [each.rewards for each in found] == [(pytest.approx(0.25), pytest.approx(0.75))]


def better(text: str) -> float:
    return 2.0 if "better" in text else 0.0


class Classifier:
    """A meta RM that likes a word; it fails where it reads `odd`."""

    async def start(self) -> None: ...

    async def logits(self, texts):
        return [EngineError("odd") if "odd" in text else better(text) for text in texts]

    async def close(self) -> None: ...


SCRIPT = ["better \\boxed{10, 1}", "\\boxed{1, 10}"]


def grm(script=SCRIPT, *plugins, **settings) -> GRM:
    return GRM(plugins=scripted(script, *plugins), engine="scripted", k=2, permutations=1, seed=0,
               **settings)  # fmt: skip


def test_a_weighted_vote_follows_the_judgments_that_the_meta_rm_trusts() -> None:
    select = {"name": "weights", "coefficients": {"meta": 1}, "classifier": Classifier()}
    with grm(select=select) as judge:
        verdict = judge.score(GROUP)
    trusted = next(one for one in verdict.judgments if "better" in one.text)
    other = next(one for one in verdict.judgments if "better" not in one.text)
    assert trusted.weight == 1.0 and other.weight == pytest.approx(math.exp(-2))
    share = 1 / (1 + math.exp(-2))
    expected = [share if score == 10 else 1 - share for score in trusted.scores]
    assert verdict.rewards == pytest.approx(tuple(expected))


def test_a_judgment_that_can_not_be_rated_has_no_weight_and_is_dropped() -> None:
    select = {"name": "weights", "coefficients": {"meta": 1}, "classifier": Classifier()}
    with grm(["odd \\boxed{10, 1}", "\\boxed{10, 1}"], select=select) as judge:
        verdict = judge.score(GROUP)
    assert [one.reason for one in verdict.failures] == [Reason.META] and verdict.scored


async def test_weights_by_the_margin_alone_ask_no_meta_rm() -> None:
    selector = Weigh({"coefficients": {"margin": 1}, "classifier": object()}, Limits())
    await selector.start()
    found = await selector.select(GROUP, [judgment(0, 9, 1), judgment(1, 5, 5)], Size(k=2))
    assert [one.weight for one in found.judgments] == [1.0, pytest.approx(math.exp(-8))]
    await selector.close()


def test_the_weights_of_a_file_are_those_of_its_coefficients(tmp_path: Path) -> None:
    path = tmp_path / "weights.json"
    path.write_text(json.dumps({"coefficients": {"margin": -1.0}, "folds": 5}))
    assert Weigh({"file": str(path)}, Limits())._weighing == Weighing(margin=-1)


@pytest.mark.parametrize(
    ("text", "telling"),
    [
        ("{}", "expected an object with coefficients"),
        ('{"coefficients": {"meat": 1}}', "unknown key 'meat'.*'meta'"),
        ('{"coefficients"', "can not be read"),
    ],
)
def test_a_file_without_coefficients_is_refused(tmp_path: Path, text: str, telling: str) -> None:
    path = tmp_path / "weights.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match=telling):
        Weigh({"file": str(path)}, Limits())


@pytest.mark.parametrize(
    ("options", "got"), [({}, "neither"), ({"file": "w", "coefficients": {}}, "both")]
)
def test_weights_need_a_file_or_coefficients(options, got: str) -> None:
    with pytest.raises(ConfigError, match=f"expected one of file .* and coefficients, got {got}"):
        Weigh(options, Limits())


def test_k_meta_means_nothing_where_all_judgments_are_weighed() -> None:
    select = {"name": "weights", "coefficients": {"margin": 1}}
    with grm(select=select) as judge, pytest.raises(ConfigError, match="with select: weights"):
        judge.score(GROUP, size=Size(k=2, k_meta=1))


def _first(scores_K_N, scale):
    return tuple(map(scale.to_unit, scores_K_N[0]))


class FirstVoter:
    @staticmethod
    @hookimpl
    def grm_register_voters(register) -> None:
        register("first", lambda options, limits: _first)


def test_a_voter_without_weights_is_refused_before_a_token_is_spent() -> None:
    assert not can_weigh(_first) and all(map(can_weigh, VOTERS))
    select = {"name": "weights", "coefficients": {"margin": 1}}
    with pytest.raises(ConfigError, match=r"vote: first: .* takes no weights_K; expected one"):
        grm(SCRIPT, Plugin("first", FirstVoter()), select=select, vote="first")


def test_a_voter_without_weights_takes_equal_ones_and_refuses_others() -> None:
    case = Case(GROUP, GROUP, ((0, 1),), (0, 1), Size(k=2), 1)
    rule = Rule("first", _first, SCALE)
    alike = [judgment(0, 10, 1, weight=0.5), judgment(1, 1, 10, weight=0.5)]
    assert settle(alike, case, rule).rewards == (1.0, 0.0)
    with pytest.raises(PluginError, match="voter 'first': the selector weighs judgments"):
        settle([alike[0], replace(alike[1], weight=0.6)], case, rule)


def test_both_ways_of_a_pair_keep_judgments_that_vote() -> None:
    script = ["\\boxed{10, 1}", "\\boxed{5, 5}", "\\boxed{10, 1}", "\\boxed{9, 1}"]
    select = {"name": "weights", "coefficients": {"margin": 5}, "classifier": None}
    with GRM(plugins=scripted(script), engine="scripted", plan="pairs", k=4, select=select) as it:
        verdict = it.score(GROUP)
    ways = {one.order for one in verdict.judgments if one.voted}
    assert verdict.scored and len(ways) == 2


def test_a_record_says_which_weights_were_used_whatever_their_file_holds_now(
    tmp_path: Path,
) -> None:
    path = tmp_path / "weights.json"
    origins = []
    for value in (0.5, 1.0):
        path.write_text(json.dumps({"coefficients": {"margin": value}}))
        with grm(select={"name": "weights", "file": str(path)}) as judge:
            origins.append(judge.score(GROUP).origin)
    assert [one["weights"]["margin"] for one in origins] == [0.5, 1.0]
    assert origins[0]["select"] == origins[1]["select"]


def test_a_missing_meta_score_is_no_zero() -> None:
    with pytest.raises(ValueError, match="sample 0 has no meta-score; ask the meta RM first"):
        weighed([judgment(0, 9, 1)], Weighing(meta=1))
