"""Which trajectories are learned from."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.spct.examples import Datum, correct
from grm_plugin.spct.hinting import BEST, RIGHT, WRONG, hints_of, unhinted
from grm_plugin.spct.rejecting import Ease, Fate, Rejection, Table
from grm_plugin.types import Failure, Group, Judgment, Reason, Sample, Verdict

ALONE = Group.of("2 + 2?", ["4"], metadata={"correct": 1})


def group(name: str = "g", n: int = 2, best: int = 0) -> Group:
    texts = [f"{name}{i}" for i in range(n)]
    return Group.of("2 + 2?", texts, id=name, metadata={"best": best, "subset": "sums"})


def judgment(k: int, scores: Sequence[float | None], text: str = "") -> Judgment:
    order = tuple(n for n, score in enumerate(scores) if score is not None)
    return Judgment(k, order, k, text or f"text {k}", tuple(scores))


def failure(k: int, reason: Reason = Reason.UNREADABLE) -> Failure:
    return Failure(k, (0, 1), k, reason, "why")


def verdict(asked: Group, *samples: Sample) -> Verdict:
    judgments = tuple(one for one in samples if isinstance(one, Judgment))
    failures = tuple(one for one in samples if isinstance(one, Failure))
    return Verdict(asked, None, judgments, failures, unscored="not asked")


def fates(plain: Sequence[Verdict], hinted: Sequence[Verdict] = ()) -> list[Fate]:
    ease = Ease()
    for one in plain:
        ease.add(one)
    rejection = Rejection(ease)
    found = [each for one in plain for each in rejection.of(one, hinted=False)]
    found += [each for one in hinted for each in rejection.of(one, hinted=True)]
    return [each.fate for each in found]


def test_only_a_strict_maximum_is_kept() -> None:
    mixed = verdict(group(), judgment(0, (8, 5)), judgment(1, (5, 8)), judgment(2, (8, 8)))
    assert fates([mixed]) == [Fate.KEPT, Fate.WRONG, Fate.TIE]


def test_what_can_not_be_read_is_not_right_and_what_was_lost_says_nothing() -> None:
    mixed = verdict(group(), judgment(0, (8, 5)), failure(1), failure(2, Reason.TIMEOUT))
    assert fates([mixed]) == [Fate.KEPT, Fate.UNREADABLE, Fate.LOST]


def test_a_datum_that_is_right_every_time_is_dropped_with_its_hinted_trajectory() -> None:
    easy = verdict(group(), *(judgment(k, (8, 5)) for k in range(3)))
    hinted = verdict(group(), judgment(0, (9, 1), "told"))
    assert fates([easy], [hinted]) == [Fate.TOO_EASY] * 4


def test_a_datum_of_which_a_trajectory_was_lost_may_be_too_easy_and_is_not_learned_from() -> None:
    late = failure(2, Reason.TIMEOUT)
    hinted = verdict(group(), judgment(0, (9, 1), "told"))
    right = verdict(group(), judgment(0, (8, 5)), judgment(1, (8, 5)), late)
    assert fates([right], [hinted]) == [*[Fate.MAY_BE_EASY] * 2, Fate.LOST, Fate.MAY_BE_EASY]
    assert fates([verdict(group(), late)], [hinted]) == [Fate.LOST, Fate.MAY_BE_EASY]
    wrong = verdict(group(), judgment(0, (8, 5)), judgment(1, (5, 8)), late)
    assert fates([wrong]) == [Fate.KEPT, Fate.WRONG, Fate.LOST]
    ease = Ease()
    ease.add(right)
    assert (ease.unknown, list(ease.rows())) == (1, [])


def test_hinted_trajectories_do_not_make_a_datum_easy() -> None:
    hard = verdict(group(), *(judgment(k, (5, 8)) for k in range(3)))
    hinted = verdict(group(), judgment(0, (9, 1), "told"))
    assert fates([hard], [hinted]) == [*[Fate.WRONG] * 3, Fate.KEPT]
    assert fates([], [hinted]) == [Fate.KEPT]


def test_one_wrong_trajectory_makes_a_datum_worth_learning_from() -> None:
    datum = verdict(group(), judgment(0, (8, 5)), judgment(1, (8, 5)), judgment(2, (5, 5)))
    assert fates([datum]) == [Fate.KEPT, Fate.KEPT, Fate.TIE]


def test_a_trajectory_that_is_there_twice_counts_once() -> None:
    same = verdict(group(), judgment(0, (8, 5), "one"), judgment(1, (5, 8)))
    assert fates([same, same]) == [Fate.KEPT, Fate.WRONG, Fate.TWICE, Fate.WRONG]
    right = verdict(group(), judgment(0, (8, 5), "one"), judgment(1, (8, 5), "one"))
    assert fates([right]) == [Fate.TOO_EASY] * 2


def test_a_judgment_of_a_part_of_the_group_is_dropped() -> None:
    part = verdict(group(n=3), judgment(0, (8, 5, None)), judgment(1, (1, 5, 2)))
    assert fates([part]) == [Fate.PARTIAL, Fate.WRONG]


def test_a_copy_of_another_response_need_not_be_shown() -> None:
    twins = Group.of("q", ["a", "b", "b"], metadata={"best": 0})
    shown = verdict(twins, judgment(0, (8, 5, None)), judgment(1, (1, 5, None)))
    assert fates([shown]) == [Fate.KEPT, Fate.WRONG]


def test_a_single_response_is_right_by_its_label() -> None:
    one = verdict(ALONE, Judgment(0, (0,), 0, "a", (1.0,)), Judgment(1, (0,), 1, "b", (0.0,)))
    assert fates([one]) == [Fate.KEPT, Fate.WRONG]


@pytest.mark.parametrize(
    "text",
    [
        "Response 2 is KNOWN to be the best one, so 9.",
        "The [Evidence on Response 1] says so.",
        "I write as if nobody had told me: as if nobody had told you.",
        "As we were told, Response 2 is the best.",
        "It was stated beforehand that response 2 is best, so it wins.",
        "The note says response 2 is known as best.",
        "Given the hint, response 2 wins.",
        "Evidence on answer: known to be right.",
        "The hint tells us that Response 1 is best.",
    ],
)
def test_a_judgment_that_tells_of_the_hint_is_dropped(text: str) -> None:
    hinted = verdict(group(), judgment(0, (8, 5), text))
    assert fates([], [hinted]) == [Fate.TELLS_HINT]
    assert fates([verdict(group(), judgment(0, (8, 5), text), judgment(1, (5, 8)))])[0] is Fate.KEPT


@pytest.mark.parametrize(
    "text",
    [
        "Response 2 gives the best evidence, and it is right.",
        "Paris is known to be the best known city.",
        "Response 1 claims that quicksort is known to be the best one for this.",
        "We are told that x is 3, so Response 1 is wrong.",
        "The price is known in advance.",
        "Response 2 ignores the hint in the question.",
    ],
)
def test_a_judgment_that_tells_of_no_hint_is_kept(text: str) -> None:
    assert fates([], [verdict(group(), judgment(0, (8, 5), text))]) == [Fate.KEPT]


def test_a_judgment_may_speak_of_evidence_that_its_datum_has() -> None:
    asked = Group.of("q", ["a", "b"], evidence=("it fails", ""), metadata={"best": 1})
    told = verdict(asked, judgment(0, (5, 8), "The evidence on response 1 shows a bug."))
    assert fates([], [told]) == [Fate.KEPT]
    hint = verdict(asked, judgment(0, (5, 8), "Response 2 is known to be the best."))
    assert fates([], [hint]) == [Fate.TELLS_HINT]


def test_the_table_tells_why_texts_can_not_be_read() -> None:
    cut = [failure(k, Reason.TRUNCATED) for k in (1, 2)]
    asked = verdict(group(), judgment(0, (8, 5)), *cut, failure(3, Reason.WRONG_COUNT))
    table = Table()
    for one in Rejection(Ease()).of(asked, hinted=False):
        table.add(one)
    (line,) = table.as_json()
    assert (line["kept"], line["unreadable"]) == (1, 3)
    assert line["why unreadable"] == {"truncated": 2, "wrong_count": 1}


def test_hints_name_the_best_response_and_are_taken_out_again() -> None:
    assert hints_of(Datum(group(n=3, best=2), 2)) == ("", "", BEST)
    assert hints_of(Datum(ALONE, 1)) == (RIGHT,)
    assert hints_of(Datum(ALONE, 0)) == (WRONG,)
    own = Group.of("q", ["a", "b"], evidence=("it runs", ""))
    shown = Group.of("q", ["a", "b"], evidence=(f"it runs\n{BEST}", ""))
    assert unhinted(shown) == own
    assert unhinted(own) is not shown and unhinted(own) == own
    assert unhinted(Group.of("q", ["a", "b"], evidence=("", BEST))) == Group.of("q", ["a", "b"])


scores = st.tuples(st.integers(1, 10), st.integers(1, 10))


@given(st.lists(scores, min_size=1, max_size=5))
def test_every_trajectory_has_one_fate_and_kept_ones_are_right(
    drawn: list[tuple[int, int]],
) -> None:
    asked = verdict(group(), *(judgment(k, pair) for k, pair in enumerate(drawn)))
    ease, table = Ease(), Table()
    ease.add(asked)
    for one in Rejection(ease).of(asked, hinted=False):
        table.add(one)
        kept = one.fate in (Fate.KEPT, Fate.TOO_EASY)
        assert kept == correct(drawn[one.sample.sample], 0)
    assert table.total.total() == len(drawn)
    assert bool(table.total[Fate.TOO_EASY]) == all(one > other for one, other in drawn)
    (line,) = table.as_json()
    assert (line["subset"], line["source"]) == ("sums", "plain")
