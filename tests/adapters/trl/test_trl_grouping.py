from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.errors import InputError
from grm_plugin.types import Message
from grm_trl.grouping import Batch, whole_groups
from grm_trl.rows import Row


def row(prompt: str, response: str = "") -> Row:
    return Row((Message("user", prompt),), response)


def batch(*ranks: str, size: int | None = None) -> Batch:
    """A batch from one letter per row, such as ``batch("aab", "bbb")`` for two ranks."""
    rows = [
        [row(letter, f"{rank}{i}") for i, letter in enumerate(part)]
        for rank, part in enumerate(ranks)
    ]
    return Batch.of(rows, size=size, metadata={})


def test_groups_come_in_first_seen_order() -> None:
    assert whole_groups("cab") == [(0,), (1,), (2,)]


def test_interleaved_rows_find_their_group() -> None:
    assert whole_groups("abcabc") == [(0, 3), (1, 4), (2, 5)]


def test_a_prompt_that_comes_twice_is_cut_at_the_group_size() -> None:
    assert whole_groups("aaaa", size=2) == [(0, 1), (2, 3)]
    assert whole_groups("aaaa") == [(0, 1, 2, 3)]


@given(st.text("abc", max_size=20), st.none() | st.integers(1, 5))
def test_every_row_is_in_exactly_one_group_of_its_own_key(keys: str, size: int | None) -> None:
    groups = whole_groups(keys, size)
    assert sorted(row for group in groups for row in group) == list(range(len(keys)))
    assert groups == sorted(groups)
    for group in groups:
        assert len({keys[row] for row in group}) == 1
        assert list(group) == sorted(group)
        assert size is None or len(group) <= size
    full = Counter(keys[group[0]] for group in groups if len(group) != size)
    assert all(count == 1 for count in full.values())


@given(st.lists(st.text("abc", max_size=5), min_size=1, max_size=4))
def test_the_ranks_share_all_groups_evenly_and_get_their_own_rows_back(ranks: list[str]) -> None:
    made = batch(*ranks)
    shares = [made.share(rank) for rank in range(len(ranks))]
    assert tuple(group for share in shares for group in share) == made.groups
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
    for rank, part in enumerate(ranks):
        found = [made.groups[g].responses[n] for g, n in made.places(rank)]
        assert found == [f"{rank}{i}" for i in range(len(part))]


def test_responses_keep_the_order_of_the_ranks() -> None:
    (group,) = batch("aa", "aa").groups
    assert group.responses == ("00", "01", "10", "11")


def test_a_split_group_is_named_with_its_ranks_and_the_way_out() -> None:
    batch("aabb", "cc").refuse_split()
    with pytest.raises(InputError, match=r"4 responses to 'b' are split over the ranks 0, 1, 2"):
        batch("aab", "bb", "b").refuse_split()


def test_one_prompt_on_two_ranks_is_two_groups_when_the_size_is_known() -> None:
    batch("aa", "aa", size=2).refuse_split()


def test_rows_that_differ_in_what_the_judge_is_told_are_different_groups() -> None:
    rows = [Row((Message("user", "a"),), "x", reference=reference) for reference in ("1", "2")]
    assert len(Batch.of([rows], metadata={}).groups) == 2


def test_evidence_is_kept_response_by_response() -> None:
    rows = [Row((Message("user", "a"),), "x", evidence=fact) for fact in ("passed", None)]
    (group,) = Batch.of([rows], metadata={}).groups
    assert group.evidence == ("passed", "")
