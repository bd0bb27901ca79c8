"""What was asked decides seeds, resume and replay; what sources add is shown, and only that."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from grm_plugin import GRM, Group, hookimpl
from grm_plugin.errors import GRMError
from grm_plugin.plugins import Plugin
from grm_plugin.records import read_verdicts
from grm_plugin.testing import scripted
from tests.core.honest_judge import group, honest, noisy


class Stopwatch:
    """An evidence source whose text is another one each time; counts its starts and closes."""

    times = itertools.count(1)

    def __init__(self, options, limits) -> None:
        self.starts = self.closes = 0

    async def start(self) -> None:
        self.starts += 1

    async def facts(self, asked: Group) -> list[str]:
        return [f"ran in {next(self.times)} ms" for _ in asked.responses]

    async def close(self) -> None:
        self.closes += 1


class Advice:
    """A principle source."""

    def __init__(self, options, limits) -> None: ...
    async def start(self) -> None: ...
    async def close(self) -> None: ...

    async def principles(self, asked: Group) -> tuple[str, ...]:
        return ("be brief",)


class Sources:
    """Offers both."""

    @hookimpl
    def grm_register_evidence_sources(self, register) -> None:
        register("stopwatch", Stopwatch)

    @hookimpl
    def grm_register_principle_sources(self, register) -> None:
        register("advice", Advice)


def with_sources(asked: Group, script=noisy, **settings: object):
    plugins = scripted(script, Plugin("sources", Sources()))
    settings = {"evidence": ["stopwatch"], "principles": "advice", "engine": "scripted"} | settings
    with GRM(plugins=plugins, **settings) as judge:
        return judge.score(asked), judge


def test_evidence_that_varies_changes_neither_seeds_nor_orders_nor_rewards() -> None:
    asked = group(3, 8, 5)
    (first, _), (second, _) = with_sources(asked), with_sources(asked)
    assert first.shown.evidence != second.shown.evidence
    assert first.group == second.group == asked
    assert [(one.seed, one.order) for one in first.judgments] == [
        (one.seed, one.order) for one in second.judgments
    ]
    assert first.rewards == second.rewards


def test_a_replay_finds_a_group_whose_evidence_varied_and_asks_no_source(tmp_path: Path) -> None:
    record, asked = tmp_path / "r.jsonl", group(3, 8, 5)
    first, _ = with_sources(asked, record=record)
    before = next(Stopwatch.times)
    again, _ = with_sources(asked, engine={"name": "replay", "path": record})
    assert again.rewards == first.rewards and len(again.judgments) == 8
    assert again.shown == first.shown
    assert next(Stopwatch.times) == before + 1


def test_the_record_keeps_what_was_asked_and_what_was_shown(tmp_path: Path) -> None:
    asked = group(3, 8)
    first, _ = with_sources(asked, record=tmp_path / "r.jsonl", k=1)
    (read,) = read_verdicts(tmp_path / "r.jsonl")
    assert read.group == asked and not read.group.evidence
    assert read.shown.evidence == first.shown.evidence
    assert read.shown.principles == ("be brief",)


def test_principles_of_a_source_come_after_the_callers() -> None:
    verdict, judge = with_sources(group(3, 8, principles=("be right",)), honest, k=1)
    assert verdict.shown.principles == ("be right", "be brief")
    (prompt,) = judge.engine.requests[0].messages
    assert prompt.content.index("be right") < prompt.content.index("be brief")


def test_what_nothing_was_added_to_is_shown_as_it_was_asked() -> None:
    verdict, _ = with_sources(group(3, 8), evidence=[], principles=None)
    assert verdict.shown is None


class PerResponse(Stopwatch):
    """A source that tells equal responses apart."""

    async def facts(self, asked: Group) -> list[str]:
        return [f"quality {n}" for n, _ in enumerate(asked.responses, start=1)]


class Told:
    """Offers it under the name of the other."""

    @hookimpl
    def grm_register_evidence_sources(self, register) -> None:
        register("stopwatch", Stopwatch)
        register("each", PerResponse)


def told(asked: Group, script=noisy, **settings: object):
    plugins = scripted(script, Plugin("told", Told()))
    with GRM(plugins=plugins, engine="scripted", **settings) as judge:
        return judge.score(asked), judge


def test_equal_responses_with_different_evidence_are_judged_apart() -> None:
    asked = Group.of(
        "q", ["same", "same", "same"], evidence=["quality 2", "quality 9", "quality 2"]
    )
    verdict, _ = told(asked, honest, k=2)
    assert verdict.rewards == (1 / 9, 8 / 9, 1 / 9)
    assert {len(one.order) for one in verdict.judgments} == {2}
    verdict, _ = told(Group.of("q", ["same", "same"]), honest, k=2, evidence=["each"])
    assert verdict.rewards == (0, 1 / 9)


def test_two_sources_of_one_name_are_both_asked_and_started() -> None:
    verdict, judge = told(group(3, 8), evidence=["stopwatch", "stopwatch"], k=1)
    assert verdict.shown.evidence[0].count("ran in") == 2
    names = [name for name, _ in judge._keeper.scorer.parts()]
    assert len(set(names)) == len(names)
    assert [source.starts for _, source in judge._keeper.scorer.opener.sources.evidence] == [1, 1]


def test_evidence_that_varies_does_not_change_who_is_compared() -> None:
    rings = []
    for _ in range(4):
        verdict, _ = told(
            group(3, 8, 5, 7, 2),
            script=lambda *_: "\\boxed{5, 4}",
            plan="pairs",
            k=2,
            evidence=["stopwatch"],
        )
        rings.append([sorted(one.order) for one in verdict.judgments])
    assert all(ring == rings[0] for ring in rings)


def test_a_group_that_the_template_can_not_show_is_refused_before_sources_are_asked() -> None:
    before = next(Stopwatch.times)
    with pytest.raises(GRMError, match="takes 1 to 64 responses"):
        told(group(*[1] * 65), evidence=["stopwatch"], duplicates="keep", k=1)
    assert next(Stopwatch.times) == before + 1
