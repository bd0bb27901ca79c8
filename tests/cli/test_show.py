"""``grm show``: the right verdict, readable, and nothing in it controls the terminal."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from grm_plugin.hosts.recorded import when
from grm_plugin.report.terminal import printable
from grm_plugin.running.recorder import Recorder
from grm_plugin.types import Cost, Failure, Group, Judgment, Principle, Reason, Verdict
from tests.cli.conftest import Ended

Grm = Callable[..., Ended]
ATTACK = "\x1b[2J\x1b]0;owned\x07[bold red]not markup[/] \x9b31m \u202egnp \ud800\x08"


def judgment(sample: int, *scores: float, voted: bool = True, text: str = "") -> Judgment:
    """A judgment that saw two responses in reversed order."""
    return Judgment(
        sample,
        order=(1, 0),
        seed=sample,
        text=text or f"Response 1: second, {scores[1]}.\nResponse 2: first, {scores[0]}.",
        scores=scores,
        principles=(Principle("be exact", 70), Principle("be brief")),
        meta_score=-1.25 if not voted else 2.5,
        voted=voted,
    )


def group(name: str, prompt: str = "why?") -> Group:
    """Two responses to ``prompt``."""
    return Group.of(prompt, ["because", "dunno"], id=name)


VERDICTS = [
    Verdict(
        group("good"),
        (0.9, 0.4),
        (judgment(0, 9, 4), judgment(1, 8, 5), judgment(2, 2, 9, voted=False)),
        (Failure(3, (0, 1), 3, Reason.TRUNCATED, "cut at max_tokens", "Analysis: and so"),),
        cost=Cost(100, 50, 1.5),
        origin={"engine": "tiny", "k": 4},
    ),
    Verdict(group("low"), (0.1, 0.8), (judgment(0, 2, 8),)),
    Verdict(
        group("bad"),
        None,
        failures=(Failure(0, (0, 1), 0, Reason.TIMEOUT, "no answer within 3 s"),),
        unscored="0 of 1 samples are valid",
    ),
]


@pytest.fixture
def show(grm: Grm, tmp_path: Path) -> Callable[..., Ended]:
    with Recorder(tmp_path / "out.jsonl") as recorder:
        for verdict in VERDICTS:
            recorder.write(verdict)
    return lambda *args: grm("show", "out.jsonl", *args)


def test_the_first_verdict_is_shown_whole(show: Grm) -> None:
    shown = show()
    assert shown.code == 0
    for part in (
        "group good",
        "user why?",
        "response #1 reward 0.900 (best) because",
        "response #2 reward 0.400 dunno",
        "70 be exact",
        "Response 1 is #2, Response 2 is #1",
        "dropped sample 3: truncated cut at max_tokens",
        "100 tokens read, 50 written, 1.5 s",
        "engine tiny, k 4",
    ):
        assert part in shown.out


def test_scores_stand_by_sample_with_meta_scores_and_votes(show: Grm) -> None:
    shown = show().out
    assert "sample #1 #2 meta-score votes order 0 9 4 2.50 yes 2 1 1 8 5 2.50 yes 2 1" in shown
    assert "2 2 9 -1.25 no 2 1" in shown
    assert "3 - - no 1 2 dropped: truncated" in shown


def test_votes_that_count_unequally_show_their_weights(grm: Grm, tmp_path: Path) -> None:
    votes = (judgment(0, 9, 4), replace(judgment(1, 8, 5), weight=0.25))
    with Recorder(tmp_path / "out.jsonl") as recorder:
        recorder.write(Verdict(group("soft"), (0.9, 0.4), votes))
    shown = grm("show", "out.jsonl", "--samples", "all").out
    assert "0 9 4 2.50 yes 2 1 1 8 5 2.50 x 0.25 2 1" in shown
    assert "voted with weight 0.25" in shown


def test_what_the_judge_was_shown_and_why_a_response_is_unscored_is_told(
    grm: Grm, tmp_path: Path
) -> None:
    asked = group("parts")
    runs = (
        Judgment(0, (0,), 0, "Response 1: fine.", (9, None)),
        Judgment(0, (0,), 0, "Response 1: good.", (8, None), run=1),
    )
    verdict = Verdict(
        asked,
        (0.8, None),
        runs,
        shown=replace(asked, evidence=("ran in 3 ms", "")),
        unscored_responses={1: "the judge counts other responses"},
    )
    with Recorder(tmp_path / "out.jsonl") as recorder:
        recorder.write(verdict)
    shown = grm("show", "out.jsonl").out
    assert "response #2 unscored: the judge counts other responses" in shown
    assert "evidence on #1 ran in 3 ms" in shown
    assert "sample #1 #2 votes order 0 9 - yes 1 1.0 8 - yes 1" in shown
    assert "judgment of sample 1.0" in shown


def test_the_lines_about_the_lowest_response_are_pointed_out(show: Grm) -> None:
    said = "why #2 is lowest, says sample 0 (Response 1 there) Response 1: second, 4."
    assert said in show().out


def test_the_nearest_and_the_farthest_judgment_are_printed_in_full(show: Grm) -> None:
    shown = show().out
    assert "judgment of sample 0 (voted" in shown
    assert "judgment of sample 1" not in shown
    assert "judgment of sample 2 (not selected to vote" in shown


def test_samples_are_chosen_to_be_printed_in_full(show: Grm) -> None:
    shown = show("--samples", "1,3").out
    assert "judgment of sample 1" in shown
    assert "judgment of sample 0" not in shown
    assert "Analysis: and so" in shown
    assert show("--samples", "all").out.count("judgment of sample") == 3


@pytest.mark.parametrize(
    ("choice", "groups"),
    [
        (("--id", "low"), ["low"]),
        (("--line", "3"), ["bad"]),
        (("--highest", "1"), ["good"]),
        (("--highest", "2"), ["good", "low"]),
        (("--unscored",), ["bad"]),
        (("--lowest", "1"), ["low"]),
        (("--lowest", "9"), ["low", "good"]),
    ],
)
def test_a_verdict_is_chosen(show: Grm, choice: tuple[str, ...], groups: list[str]) -> None:
    shown = show(*choice).out
    places = [shown.find(f"group {name} ") for name in groups]
    assert -1 not in places
    assert places == sorted(places)
    assert shown.count("cost: ") == len(groups)


def test_an_unscored_verdict_says_why(show: Grm) -> None:
    shown = show("--unscored").out
    assert "UNSCORED: 0 of 1 samples are valid" in shown
    assert "dropped sample 0: timeout no answer within 3 s" in shown


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (("--id", "nobody"), "no group has the id 'nobody'"),
        (("--line", "9"), "there is no line 9"),
    ],
)
def test_a_verdict_that_is_not_there_is_an_error(
    show: Grm, choice: tuple[str, ...], said: str
) -> None:
    shown = show(*choice)
    assert shown.code == 1
    assert said in shown.err


@pytest.mark.parametrize(
    "wrong", [("--line", "1", "--unscored"), ("--samples", "x"), ("--train", "--eval")]
)
def test_wrong_usage_is_exit_code_2(show: Grm, wrong: tuple[str, ...]) -> None:
    assert show(*wrong).code == 2


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Records of two processes of a run: of each two steps of training and one evaluation."""
    for rank in (0, 10, 2):
        with Recorder(tmp_path / "run" / f"verdicts.jsonl.engine{rank}") as recorder:
            for step, training in ((0, True), (1, True), (1, False)):
                name = f"{rank}-{step}-{'train' if training else 'eval'}"
                asked = replace(group(name), metadata=when(step, training=training))
                recorder.write(Verdict(asked, (0.1, 0.8), (judgment(0, 2, 8),)))
    (tmp_path / "run" / "verdicts.png").touch()
    return tmp_path / "run"


@pytest.mark.parametrize("named", ["run", "run/verdicts.jsonl", "run/verdicts", "run/v"])
@pytest.mark.parametrize(
    ("choice", "groups"),
    [
        ((), ["0-0-train"]),
        (("--line", "4"), ["2-0-train"]),
        (("--step", "1", "--train", "--lowest", "9"), ["0-1-train", "2-1-train", "10-1-train"]),
        (("--eval", "--lowest", "9"), ["0-1-eval", "2-1-eval", "10-1-eval"]),
        (("--eval", "--line", "3"), ["10-1-eval"]),
    ],
)
@pytest.mark.usefixtures("run")
def test_records_of_a_run_are_shown_by_a_folder_or_by_what_their_names_have_in_common(
    grm: Grm, named: str, choice: tuple[str, ...], groups: list[str]
) -> None:
    shown = grm("show", named, *choice).out
    assert re.findall(r"group (\S+) ", shown) == groups


@pytest.mark.usefixtures("run")
def test_a_step_that_was_not_judged_and_a_record_that_is_not_there_are_told(grm: Grm) -> None:
    assert (
        "no such verdict of step 7 of phase train" in grm("show", "run", "--step=7", "--train").err
    )
    assert "the start of their names" in grm("show", "run/verdicts.csv").err
    assert (
        "no verdict in run of step 1 is unscored"
        in grm("show", "run", "--step=1", "--unscored").err
    )


def test_dropped_texts_are_hinted_at_until_they_are_shown(show: Grm) -> None:
    assert "what the judge wrote in dropped samples: --samples 3" in show().out
    assert "--samples" not in show("--samples", "3").out
    assert "--samples" not in show("--unscored").out  # nothing was written


def test_orders_of_many_responses_are_left_to_each_judgment(grm: Grm, tmp_path: Path) -> None:
    many = Group.of("which?", [f"number {n}" for n in range(12)], id="many")
    said = Judgment(0, tuple(range(12)), 0, "Response 1: fine.", (5.0,) * 12)
    with Recorder(tmp_path / "out.jsonl") as recorder:
        recorder.write(Verdict(many, (0.5,) * 12, (said,)))
    shown = grm("show", "out.jsonl").out
    assert "#12 votes 0 5" in shown
    assert "Response 12 is #12" in shown


def test_a_record_comes_from_standard_input(grm: Grm, show: Grm, tmp_path: Path) -> None:
    show()
    record = (tmp_path / "out.jsonl").read_bytes()
    assert "group low" in grm("show", "-", "--id", "low", stdin=record).out
    broken = grm("show", "-", "--line", "4", stdin=record + b"{}\n")
    assert broken.code == 1
    assert "standard input, line 4: not a recorded verdict" in broken.err


def test_the_old_name_of_samples_is_refused_with_the_new_one(show: Grm) -> None:
    for old in ("--k", "-k"):
        refused = show(old, "all")
        assert refused.code == 2
        assert "--samples all now" in refused.err


def test_untrusted_text_can_not_control_the_terminal(
    grm: Grm, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    principles = (Principle(ATTACK, 3),)
    said = Judgment(0, (0,), 0, ATTACK, (5.0,), principles=principles)
    failure = Failure(1, (0,), 1, Reason.UNREADABLE, ATTACK, ATTACK)
    shown = Group.of([{"role": ATTACK, "content": ATTACK}], [ATTACK], id=ATTACK, reference=ATTACK)
    verdict = Verdict(shown, None, (said,), (failure,), ATTACK, origin={"model": ATTACK})
    with Recorder(tmp_path / "out.jsonl") as recorder:
        recorder.write(verdict)
    printed = grm("show", "out.jsonl", "--samples", "all").out
    assert "[bold red]not markup[/]" in printed
    assert not [c for c in printed if c < " " or "\x7f" <= c <= "\x9f" or c in "\u202e\ud800"]
    assert "owned" not in printed


def test_no_text_of_a_record_begins_a_line_among_our_words(grm: Grm, tmp_path: Path) -> None:
    forged = "x\nUNSCORED: forged"
    said = Judgment(0, (0,), 0, "fine", (5.0,), principles=(Principle(forged, 3),))
    shown = Group.of([{"role": forged, "content": "why?"}], ["because"], id=forged)
    verdict = Verdict(shown, None, (said,), (), forged, origin={"model": forged})
    with Recorder(tmp_path / "out.jsonl") as recorder:
        recorder.write(verdict)
    printed = grm("show", "out.jsonl").out
    assert printed.count("UNSCORED: forged") == printed.count(r"x\nUNSCORED: forged") == 5


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ü 漢 \n\t kept", "plain ü 漢 \n\t kept"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bcreset", "reset"),
        ("over\rwritten", "over\ufffdwritten"),
        ("a\r\nb", "a\nb"),
        ("\x1b", ""),
    ],
)
def test_escapes_go_and_text_stays(text: str, shown: str) -> None:
    assert printable(text) == shown
