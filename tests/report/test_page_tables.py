"""Tables of a page lead to groups that are there, and say what they leave out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from grm_plugin.report.criteria import criteria_of, for_page
from grm_plugin.report.page import write_page
from grm_plugin.report.page.summary import MOST_SUBSETS
from grm_plugin.report.page.tables import tables_of
from grm_plugin.types import Verdict
from tests.report.criteria.verdicts import planted
from tests.report.pages import parsed, rows_in, verdict

NAMES = ("accuracy", "tone", "depth")


def in_steps(steps: int) -> list[Verdict]:
    """Verdicts of a training run with criteria; no id of a group is a plain word."""
    found: list[Verdict] = []
    for step in range(steps):
        some = planted(
            8, lambda rng, _: (rng.uniform(1, 10), 5.0), NAMES, k=3, seed=step, step=step
        )
        found += [named(one, f"task {step}/{n} {'of many ' * 12}") for n, one in enumerate(some)]
    return found


def named(one: Verdict, name: str) -> Verdict:
    return replace(one, group=replace(one.group, id=name))


def linked(page: Path, name: str) -> list[str]:
    """The values of a filter that links of a page ask for."""
    links = [str(more["href"]) for tag, more in parsed(page).tags if tag == "a" and "href" in more]
    return [value for link in links for value in parse_qs(link.lstrip("#")).get(name, [])]


def test_passages_lead_to_their_groups_whatever_their_ids(tmp_path: Path) -> None:
    page, verdicts = tmp_path / "page.html", in_steps(2)
    write_page(page, verdicts, title="t", criteria=for_page(criteria_of(verdicts)))
    asked = linked(page, "id")
    assert asked and set(asked) <= {row["id"] for row in rows_in(page)}


def test_subsets_that_are_counted_together_have_no_link_to_nothing(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    write_page(page, (verdict(n, subset=f"s{n}") for n in range(MOST_SUBSETS + 9)), title="t")
    assert "(further subsets)" in page.read_text(encoding="utf-8")
    assert set(linked(page, "subset")) <= {row["subset"] for row in rows_in(page)}


def test_the_end_of_a_run_is_told_in_rewards_by_step() -> None:
    tables = for_page(criteria_of(in_steps(16)))
    (by_step,) = [one for one in tables_of(tables) if one.name == "reward by step"]
    assert list(by_step.head) == ["criterion", *map(str, range(16))]


@pytest.mark.parametrize("count", [24, 30])
def test_columns_and_values_that_are_left_out_are_told(tmp_path: Path, count: int) -> None:
    page = tmp_path / "page.html"
    wide = {"wide": [dict.fromkeys(map(str, range(count)), 1)] * 2, "list": list(range(count))}
    write_page(page, [verdict(1)], title="t", criteria=wide)
    text = page.read_text(encoding="utf-8")
    assert ("6 further columns are not shown" in text) == (count == 30)
    assert f"… and {count - 12} more" in text
