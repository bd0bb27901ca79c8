from __future__ import annotations

import math
from types import SimpleNamespace

import pytest

from grm_plugin import GRMConfig
from grm_plugin.hosts import telling
from grm_plugin.hosts.passages import passages
from grm_plugin.types import Failure, Group, Judgment, Principle, Reason, Scalar, Verdict
from grm_trl.columns import CELLS, MAX_TEXT, columns
from grm_trl.options import TRLOptions
from grm_trl.reporting import Reporter

TRL_WIDTH = 120
ALL = tuple(CELLS)
CRITIQUE = """Principles: 60% be exact, 40% be brief.
Response 1: uses {0} items, as asked, and says nothing else.
Response 2: uses {1} items, which is one too few, and adds a remark that nobody asked for.
Scores: \\boxed{{9, 3}}"""


def judgment(
    *scores: float | None,
    voted: bool = True,
    text: str = "",
    order: tuple[int, ...] | None = None,
) -> Judgment:
    principles = (Principle("be true", 60), Principle("be brief"))
    order = tuple(range(len(scores))) if order is None else order
    return Judgment(0, order, 0, text, scores, voted=voted, principles=principles)


def verdict(*judgments: Judgment, dropped: int = 0) -> Verdict:
    failures = tuple(Failure(i, (), 0, Reason.TRUNCATED, "cut") for i in range(dropped))
    rewards = (0.5, 0.5) if judgments else None
    why = "" if judgments else "nothing valid"
    group = Group.of("q", ["a", "b"])
    return Verdict(group, rewards, judgments, failures, why)


def test_each_response_shows_its_own_passage_of_the_critique_nearest_to_the_vote() -> None:
    judgments = [
        judgment(9, 1, text="Response 1: far\nResponse 2: far"),
        judgment(5, 4, text="Response 1: second\nResponse 2: first", order=(1, 0)),
        judgment(1, 7, text="Response 1: far\nResponse 2: far"),
    ]
    first, second = columns(verdict(*judgments), ALL)
    assert (first["critique"], first["place"]) == ("Response 2: first", "2/2")
    assert (second["critique"], second["place"]) == ("Response 1: second", "1/2")
    assert (first["votes"], second["votes"]) == ("9 5 1", "1 4 7")
    assert first["principles"] == "be true (60); be brief"


def test_a_critique_is_read_once_for_all_the_responses_of_its_group(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[str] = []

    def counted(text: str, shown: int) -> dict[int, list[str]]:
        read.append(text)
        return passages(text, shown)

    monkeypatch.setattr(telling, "passages", counted)
    told: dict[str, list[str]] = {}
    made = [verdict(judgment(5, 4, text=f"Response 1: {n}\nResponse 2: other")) for n in "ab"]
    reporter = Reporter(TRLOptions(), GRMConfig(engine="reference"))
    places = [(0, 0), (0, 1), (1, 0), (1, 1)]
    reporter.report(made, places, {"log_extra": told.__setitem__}, size=None, started=0.0)
    first, other = "Response 1: ", "Response 2: other"
    assert told["grm_critique"] == [f"{first}a", other, f"{first}b", other]
    assert len(read) == 2


def test_a_response_that_a_scalar_rm_decided_shows_its_score_in_place_of_a_critique() -> None:
    scalar = Scalar((3.0, 0.0), sure=0.8, judged=False)
    made = Verdict(Group.of("q", ["a", "b"]), scalar.votes, scalar=scalar)
    first, second = columns(made, ALL)
    assert first["critique"].startswith("decided by the scalar RM without the judge: sureness 0.95")
    assert first["critique"].endswith("scalar score 3 (vote 0.95)")
    assert second["critique"].endswith("scalar score 0 (vote 0.50)")
    assert {first[name] for name in ("place", "votes", "principles")} == {""}


def test_a_judgment_that_did_not_vote_is_not_shown() -> None:
    unsure = judgment(9, 1, voted=False, text="Response 1: unsure")
    made = verdict(unsure, judgment(2, 2, text="Response 1: sure"))
    assert columns(made, ALL)[0]["critique"] == "Response 1: sure"
    assert columns(made, ALL)[0]["votes"] == "2"


@pytest.mark.parametrize(("k", "shown"), [(8, "8 8 8 8 8 8 8 8"), (9, "8 8 8 8 8 8 8 8 …")])
def test_many_votes_do_not_widen_the_table(k: int, shown: str) -> None:
    assert columns(verdict(*[judgment(8, 4)] * k), ["votes"])[0]["votes"] == shown


def test_an_unscored_group_shows_why() -> None:
    shown = {"critique": "no reward: nothing valid", "place": "", "votes": "", "principles": ""}
    assert columns(verdict(dropped=1), ALL)[1] == shown


def test_a_response_that_the_judgment_did_not_see_shows_nobody_elses_passage() -> None:
    alone = judgment(8, None, text="The answer is fine.", order=(0,))
    first, second = columns(verdict(alone), ALL)
    assert (first["critique"], first["place"]) == ("The answer is fine.", "1/1")
    assert (second["critique"], second["place"], second["votes"]) == ("", "", "")


def test_a_single_response_without_a_reward_shows_its_own_reason() -> None:
    group, seen = Group.of("q", ["a", "b"]), judgment(8, None, text="Response 1: good")
    made = Verdict(group, (0.8, None), (seen,), unscored_responses={1: "it breaks its group"})
    shown = [row["critique"] for row in columns(made, ["critique"])]
    assert shown == ["Response 1: good", "no reward: it breaks its group"]


def test_cells_are_short_lines_that_can_not_control_a_terminal() -> None:
    attack = "Response 1: \x1b[2Jgone\u202e\x07 " + "long " * 999
    (first, _) = columns(verdict(judgment(8, 4, text=attack)), ["critique"])
    assert len(first["critique"]) == MAX_TEXT and first["critique"].isprintable()


@pytest.mark.parametrize("prefix", ["grm", "k1"])
def test_the_table_of_trl_can_be_read_at_120_columns(
    prefix: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    utils = pytest.importorskip("trl.trainer.utils")
    monkeypatch.setenv("COLUMNS", str(TRL_WIDTH))
    names = TRLOptions().table
    critique = CRITIQUE.format("four", "three")
    rows = columns(verdict(*[judgment(9, 3, text=critique)] * 8), names)
    utils.print_prompt_completions_sample(
        ["Write a list of words: use exactly 4 items."] * 2,
        ["sunrise, teapot, ladder, plum", "sunrise, teapot, ladder. I hope you like it!"],
        {prefix: [0.89, math.nan]},
        [0.7, -0.7],
        step=3,
        extra={f"{prefix}_{name}": [row[name] for row in rows] for name in names},
    )
    shown = capsys.readouterr().out
    assert f"{prefix}_critique" in shown and "…" not in shown
    assert max(map(len, shown.splitlines())) <= TRL_WIDTH
    assert len(shown.splitlines()) <= 20


@pytest.mark.parametrize(("scale", "warned"), [("batch", True), ("none", True), ("group", False)])
def test_a_trainer_that_weighs_groups_of_a_cascade_against_each_other_is_told(
    scale: str, warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    section = {"classifier": {"name": "server", "url": "http://localhost:1"}, "use": "cascade"}
    reporter = Reporter(TRLOptions(), GRMConfig(scalar=section))
    trainer = SimpleNamespace(args=SimpleNamespace(scale_rewards=scale))
    for _ in range(2):
        reporter.warn([[0, 1]], trainer)
    told = [one.message for one in caplog.records if "gives rewards on two scales" in one.message]
    assert len(told) == warned
