"""Every verdict is one JSON line that survives kills and full disks and votes again offline."""

from __future__ import annotations

import json
import os
import resource
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin import GRM, Group, Judgment, Message, Size, Verdict
from grm_plugin.engine import SampleRequest
from grm_plugin.errors import InputError, RecordError, TransportError
from grm_plugin.records import from_line, from_record, read_verdicts, to_line, to_record
from grm_plugin.running.recorder import Recorder
from grm_plugin.testing import ScriptedEngine
from grm_plugin.types import Cost, Failure, Principle, Reason, Token
from tests.core.honest_judge import grm, group, honest, noisy

texts = st.text(max_size=30) | st.sampled_from(["\u2028\u2029\x85", "\0", '"\n\\', "é"])
finite = st.floats(allow_nan=False, allow_infinity=False)


def groups_() -> st.SearchStrategy[Group]:
    return st.builds(
        Group,
        conversation=st.lists(st.builds(Message, texts, texts), max_size=3).map(tuple),
        responses=st.lists(texts, max_size=3).map(tuple),
        id=texts,
        reference=st.none() | texts,
        principles=st.lists(texts, max_size=2).map(tuple),
        evidence=st.lists(texts, max_size=2).map(tuple),
        metadata=st.dictionaries(texts, st.integers() | texts | st.none(), max_size=2),
    )


tokens = st.lists(st.builds(Token, texts, finite, st.dictionaries(texts, finite)), max_size=2)


@st.composite
def verdicts(draw: st.DrawFn) -> Verdict:
    group = draw(groups_())
    n = len(group.responses)
    orders = st.permutations(range(n)).flatmap(
        lambda order: st.integers(0, n).map(lambda size: tuple(order[:size]))
    )
    scores = st.lists(st.none() | finite, min_size=n, max_size=n).map(tuple)
    judgments = st.builds(
        Judgment,
        sample=st.integers(0, 99),
        order=orders,
        seed=st.integers(0, 2**31),
        text=texts,
        scores=scores,
        prompt_hash=texts,
        principles=st.lists(st.builds(Principle, texts, st.none() | finite), max_size=2).map(tuple),
        meta_score=st.none() | finite,
        voted=st.booleans(),
        prompt_tokens=st.integers(0, 9),
        seconds=finite,
        run=st.integers(0, 3),
        tokens=tokens.map(tuple),
        said=st.lists(texts, max_size=1).map(tuple),
    )
    failures = st.builds(
        Failure,
        st.integers(0, 99),
        orders,
        st.integers(0, 9),
        st.sampled_from(Reason),
        texts,
        texts,
        tokens=tokens.map(tuple),
    )
    return draw(
        st.builds(
            Verdict,
            group=st.just(group),
            rewards=st.none() | scores,
            judgments=st.lists(judgments, max_size=2).map(tuple),
            failures=st.lists(failures, max_size=2).map(tuple),
            unscored=texts,
            cost=st.builds(Cost, st.integers(0, 9), st.integers(0, 9), finite),
            origin=st.dictionaries(texts, st.integers() | texts, max_size=2),
            shown=st.sampled_from([None, replace(group, principles=("be brief",))]),
            unscored_responses=st.dictionaries(st.integers(0, 3), texts, max_size=2),
        )
    )


@given(verdicts())
def test_a_record_comes_back_as_the_verdict_it_was_made_from(verdict: Verdict) -> None:
    line = to_line(verdict)
    assert line.count(b"\n") == 1
    again = from_line(line)
    assert again == verdict == from_record(json.loads(json.dumps(to_record(verdict))))
    assert again.group.fingerprint == verdict.group.fingerprint


def verdict(name: str = "g") -> Verdict:
    return Verdict(Group.of("q", ["a"], id=name), (0.5,))


def names(path: Path) -> list[str]:
    return [one.group.id for one in read_verdicts(path)]


def test_a_recorder_appends_to_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "r.jsonl"
    for name in "ab":
        with Recorder(path) as recorder:
            recorder.write(verdict(name))
    assert names(path) == ["a", "b"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_does_not_keep_a_record_locked(tmp_path: Path) -> None:
    end, told = os.pipe()
    with Recorder(tmp_path / "r.jsonl"):
        if not (child := os.fork()):
            os.close(told)
            os.read(end, 1)
            os._exit(0)
    try:
        Recorder(tmp_path / "r.jsonl").close()
    finally:
        os.close(told)
        os.waitpid(child, 0)


def test_a_line_is_on_disk_before_the_next_is_written(tmp_path: Path) -> None:
    with Recorder(tmp_path / "r.jsonl") as recorder:
        recorder.write(verdict("a"))
        assert names(recorder.path) == ["a"]


@pytest.mark.parametrize("torn", ['{"version": 1, "id', "{}" * 500_000, "\ud800"])
def test_a_torn_last_line_is_left_out_and_cut_before_the_next_run(
    tmp_path: Path, torn: str
) -> None:
    path = tmp_path / "r.jsonl"
    with Recorder(path) as recorder:
        recorder.write(verdict("a"))
    with path.open("ab") as file:
        file.write(torn.encode("utf-8", "surrogatepass"))
    assert names(path) == ["a"]
    with Recorder(path) as recorder:
        recorder.write(verdict("b"))
    assert names(path) == ["a", "b"]


def test_a_file_with_nothing_but_a_torn_line_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text('{"version":2,"id":"torn')
    assert names(path) == []
    Recorder(path).close()
    assert path.read_bytes() == b""


@pytest.mark.parametrize(
    "line",
    ["not json", "{}", "[]", "7", '{"rewards": 1}', "\x00", "[" * 100_000,
     '{"rewards": null, "group": {"conversation": [], "responses": "abc", "id": ""}}'],
)  # fmt: skip
def test_a_corrupted_line_in_the_middle_is_named_with_its_file(tmp_path: Path, line: str) -> None:
    path = tmp_path / "r.jsonl"
    with Recorder(path) as recorder:
        recorder.write(verdict("a"))
    with path.open("a") as file:
        file.write(line + "\n")
    with Recorder(path) as recorder:
        recorder.write(verdict("b"))
    found = read_verdicts(path)
    assert next(found).group.id == "a"
    with pytest.raises(RecordError, match=r"r\.jsonl, line 2: "):
        next(found)


def test_a_missing_record_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"absent\.jsonl can not be read"):
        names(tmp_path / "absent.jsonl")


def test_a_full_disk_keeps_the_lines_before_and_says_which_group_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with Recorder(path) as recorder:
        recorder.write(verdict("a"))
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 20, before[1]))
            with pytest.raises(RecordError, match=r"group b can not be recorded to .*r\.jsonl: "):
                recorder.write(verdict("b"))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            signal.signal(signal.SIGXFSZ, handler)
        assert names(path) == ["a"]
        recorder.write(verdict("c"))
    assert names(path) == ["a", "c"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_device_is_a_record_error_too() -> None:
    with (
        Recorder(Path("/dev/full")) as recorder,
        pytest.raises(RecordError, match="No space left on device"),
    ):
        recorder.write(verdict())


def test_a_folder_in_place_of_the_record_is_said_at_the_start(tmp_path: Path) -> None:
    with grm(record=tmp_path) as judge, pytest.raises(RecordError, match="can not be opened"):
        judge.score(group(1, 2))


class Odd:
    def __repr__(self) -> str:
        return "Odd()"


@pytest.mark.parametrize("odd", ["bytes", "circle", "object", "number"])
def test_metadata_that_is_no_json_is_written_as_its_repr(tmp_path: Path, odd: str) -> None:
    endless: dict[str, object] = {}
    endless["again"] = endless
    value = {"bytes": b"\xff", "circle": endless, "object": Odd(), "number": 3}[odd]
    asked = Group.of("q", ["a"], id="g", metadata={"odd": value, "fine": [1, "\ud800"]})
    with Recorder(tmp_path / "r.jsonl") as recorder:
        recorder.write(Verdict(asked, (0.5,)))
    (again,) = read_verdicts(tmp_path / "r.jsonl")
    told = {"bytes": r"b'\xff'", "circle": "{'again': {...}}", "object": "Odd()", "number": 3}[odd]
    assert again.group.metadata == {"odd": told, "fine": [1, "\ufffd"]}
    assert again.group.fingerprint == asked.fingerprint


@pytest.mark.parametrize("log", [float("-inf"), float("inf"), float("nan")])
def test_a_probability_that_json_can_not_tell_does_not_spoil_a_record(log: float) -> None:
    whole, odd = Token("8", -0.1, {"8": -0.1, "9": -2.5}), Token("}", log, {"}": -0.5, "x": log})
    for sample in (
        judgment := Judgment(0, (0,), 0, "8}", (8.0,), tokens=(whole, odd)),
        judgment.failed(Reason.META, "no score"),
    ):
        held = {"judgments" if sample is judgment else "failures": (sample,)}
        line = to_line(Verdict(Group.of("q", ["a"]), (0.5,), **held))
        json.loads(line, parse_constant=pytest.fail)
        again = from_line(line)
        (read,) = (*again.judgments, *again.failures)
        assert read.tokens[0] == whole
        assert read.tokens[1].logprob == read.tokens[1].top["x"] < -1e300  # exp of it is 0


@pytest.mark.parametrize(
    ("more", "telling"),
    [({"id": 5}, "id: expected a text, got 5"), ({"metadata": [1]}, "metadata: expected values")],
)
def test_a_group_that_could_not_be_read_back_is_refused_before_a_token(more, telling) -> None:
    engine = ScriptedEngine(honest)
    with grm(engine) as judge, pytest.raises(InputError, match=telling):
        judge.score(group(1, 2, **more))
    assert not engine.requests


def test_half_a_character_is_written_as_what_stands_for_it(tmp_path: Path) -> None:
    odd = Verdict(Group.of("q\ud800", ["a"]), (0.5,))
    with Recorder(tmp_path / "r.jsonl") as recorder:
        recorder.write(odd)
    (again,) = read_verdicts(tmp_path / "r.jsonl")
    assert again.group.conversation[0].content == "q\ufffd"
    assert again.group.fingerprint == odd.group.fingerprint


# a record is checked when it is read


def edited(**changes: object) -> dict[str, object]:
    asked = Group.of("q", ["a", "b"], id="g")
    sample = Judgment(0, (1, 0), 0, "", (5.0, 7.0), meta_score=0.5)
    record = to_record(Verdict(asked, (0.5, 0.6), (sample,)))
    for path, value in changes.items():
        *outer, last = path.split("__")
        inner = record
        for key in outer:
            inner = inner[int(key)] if key.isdigit() else inner[key]
        inner[last] = value
    return record


@pytest.mark.parametrize(
    ("changes", "telling"),
    [
        ({"version": 1}, "a record of version '1', and this release reads version 2"),
        ({"version": None}, "not a recorded verdict: it has no version"),
        ({"fingerprint": "0" * 32}, "group g has the fingerprint .* was its text edited"),
        ({"group__responses": ["a", "c"]}, "was its text edited"),
        ({"judgments__0__order": [1, 1]}, "sample 0: expected an order of some of 2 responses"),
        ({"judgments__0__order": [1, 2]}, "sample 0: expected an order of some of 2 responses"),
        ({"judgments__0__scores": [5.0]}, "sample 0: expected 2 finite scores"),
        ({"judgments__0__scores": [5.0, float("nan")]}, "sample 0: expected 2 finite scores"),
        ({"judgments__0__meta_score": float("inf")}, "sample 0: expected a finite meta-score"),
        ({"rewards": [0.5]}, "expected 2 finite rewards"),
        ({"rewards": [0.5, float("-inf")]}, "expected 2 finite rewards"),
        ({"rewards": [0.5, "many"]}, r"rewards.1: .* got 'many'"),
    ],
)
def test_a_record_that_can_not_be_is_refused_and_says_why(changes, telling) -> None:
    assert from_record(edited()).scored
    with pytest.raises(RecordError, match=telling):
        from_record(edited(**changes))


# the replay engine


def record(path: Path, *asked: Group, script=noisy, **settings: object) -> list[Verdict]:
    with grm(script, record=path, **settings) as judge:
        return judge.score_batch(asked)


def replay(path: Path, *asked: Group, **settings: object) -> list[Verdict]:
    with GRM(engine={"name": "replay", "path": str(path)}, **settings) as judge:
        return judge.score_batch(asked)


SAMPLES = [group(3, 5, 9, prompt=f"q{n}") for n in range(4)]


def test_a_replay_gives_the_recorded_judgments_and_rewards(tmp_path: Path) -> None:
    first = record(tmp_path / "r.jsonl", *SAMPLES, k=4)
    again = replay(tmp_path / "r.jsonl", *reversed(SAMPLES), k=4, seed=99)
    for before, after in zip(first, reversed(again), strict=True):
        assert after.rewards == before.rewards
        assert [(one.order, one.scores, one.text) for one in after.judgments] == [
            (one.order, one.scores, one.text) for one in before.judgments
        ]


@pytest.mark.parametrize("vote", ["mean", "sum", "median", "majority", "borda"])
@pytest.mark.parametrize("k", [4, 6])
def test_voting_again_gives_what_a_direct_vote_gives(tmp_path: Path, vote: str, k: int) -> None:
    record(tmp_path / "r.jsonl", *SAMPLES, k=6)
    direct = record(tmp_path / "direct.jsonl", *SAMPLES, k=6, vote=vote)
    again = replay(tmp_path / "r.jsonl", *SAMPLES, k=k, vote=vote)
    if k == 6:
        assert [one.rewards for one in again] == [one.rewards for one in direct]
    assert all(len(one.judgments) == k for one in again)


def test_a_failed_sample_fails_again_for_the_same_reason(tmp_path: Path) -> None:
    script = [TransportError("HTTP 503"), "\\boxed{1, 2", "\\boxed{5, 6}", "\\boxed{99, 1}"]
    (first,) = record(tmp_path / "r.jsonl", group(1, 2), script=script, k=4)
    (again,) = replay(tmp_path / "r.jsonl", group(1, 2), k=4)
    assert again.failures_by_reason == first.failures_by_reason
    assert [one.detail for one in again.failures] == [one.detail for one in first.failures]


def test_a_group_that_is_not_on_record_is_unscored_as_missing(tmp_path: Path) -> None:
    record(tmp_path / "r.jsonl", group(1, 2))
    (found,) = replay(tmp_path / "r.jsonl", group(7, 8))
    assert found.rewards is None
    assert found.failures_by_reason == {Reason.MISSING: 8}
    assert "is not in" in found.unscored


def test_more_samples_than_recorded_are_missing_not_invented(tmp_path: Path) -> None:
    record(tmp_path / "r.jsonl", group(1, 2), k=4)
    (found,) = replay(tmp_path / "r.jsonl", group(1, 2), k=6)
    assert found.failures_by_reason == {Reason.MISSING: 2}
    assert found.scored


def test_a_record_whose_groups_differ_in_k_is_replayed_with_the_k_of_each(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    with grm(noisy, record=path, k=8) as judge:
        first = [judge.score(one, size=Size(k=k)) for k, one in enumerate(SAMPLES, start=1)]
    assert [one.origin["k"] for one in read_verdicts(path)] == [1, 2, 3, 4]
    again = replay(path, *SAMPLES)
    assert [one.rewards for one in again] == [one.rewards for one in first]
    assert [one.origin["k"] for one in again] == [1, 2, 3, 4]
    few, many = replay(path, SAMPLES[0], SAMPLES[3], k=3)
    assert few.failures_by_reason == {Reason.MISSING: 2}
    assert len(many.judgments) == 3


def test_a_refused_group_on_record_is_missing_when_replayed(tmp_path: Path) -> None:
    refused = Group.of("q", ["a"], reference="42")
    template = tmp_path / "t.txt"
    template.write_text("{{conversation}}{{responses}}")
    record(tmp_path / "r.jsonl", refused, template=str(template))
    (found,) = replay(tmp_path / "r.jsonl", refused, k=2)
    assert found.failures_by_reason == {Reason.MISSING: 2}


def test_of_a_group_recorded_twice_the_last_verdict_counts(tmp_path: Path) -> None:
    record(tmp_path / "r.jsonl", group(1, 2), k=8)
    record(tmp_path / "r.jsonl", group(1, 2), k=4, script=["\\boxed{7, 7}"])
    (found,) = replay(tmp_path / "r.jsonl", group(1, 2), k=8, min_valid=1)
    assert found.rewards == pytest.approx((6 / 9, 6 / 9))
    assert len(found.judgments) == 4


def test_duplicates_and_split_groups_replay_as_they_were_judged(tmp_path: Path) -> None:
    twice = group(3, 8, 3)
    long = Group.of("q", [f"quality {n + 1} " + "x" * 500 for n in range(9)])
    engine = ScriptedEngine(honest, context_tokens=5000)
    settings = {"k": 2, "max_tokens": 1000, "over_context": "split"}
    first = record(tmp_path / "r.jsonl", twice, long, script=engine, **settings)
    again = replay(tmp_path / "r.jsonl", twice, long, k=2)
    assert [one.rewards for one in again] == [one.rewards for one in first]
    assert len(again[1].judgments) > 2


# golden vectors of arXiv:2504.02495, written as records and voted on again


def golden(path: Path, shown: list[tuple[list[int], tuple[int, ...]]], meta: list[float]) -> Group:
    """A record of boxes as printed, with the order of responses and the meta-score of each."""
    asked = Group.of("q", ["first", "second"])
    samples = [
        Judgment(
            k, order, 0, f"Scores: \\boxed{{{box[0]}, {box[1]}}}", (None, None), meta_score=meta[k]
        )
        for k, (box, order) in enumerate(shown)
    ]
    with Recorder(path) as recorder:
        recorder.write(Verdict(asked, None, tuple(samples)))
    return asked


META = {"name": "meta_rm", "k_meta": 2}


def test_figure_3_of_the_paper_through_the_whole_pipeline(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    boxes = [[1, 5], [5, 6], [4, 8], [7, 6]]
    asked = golden(path, [(box, (0, 1)) for box in boxes], [0.9, -0.2, 0.8, -1.5])
    assert replay(path, asked, k=4, vote="sum")[0].rewards == (17, 25)
    (selected,) = replay(path, asked, k=4, vote="sum", select=META)
    assert selected.rewards == (5, 13)
    assert [one.sample for one in selected.judgments if one.voted] == [0, 2]


def test_table_17_of_the_paper_through_the_whole_pipeline(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    shown = [([8, 8], (0, 1)), ([9, 5], (1, 0)), ([10, 7], (1, 0))]
    asked = golden(path, shown, [-15.7781, 1.3126, 1.6739])
    assert replay(path, asked, k=3, vote="sum")[0].rewards == (20, 27)
    (selected,) = replay(path, asked, k=3, vote="sum", select=META)
    assert selected.rewards == (12, 19)
    assert [one.sample for one in selected.judgments if one.voted] == [1, 2]


def test_samples_the_meta_rm_could_not_rate_may_vote_without_it(tmp_path: Path) -> None:
    record(tmp_path / "r.jsonl", group(3, 5), script=honest, k=4, select="meta_rm")
    (unrated,) = read_verdicts(tmp_path / "r.jsonl")
    assert unrated.failures_by_reason == {Reason.META: 4}
    (without,) = replay(tmp_path / "r.jsonl", group(3, 5), k=4)
    assert without.rewards == pytest.approx((2 / 9, 4 / 9))
    (rated,) = replay(tmp_path / "r.jsonl", group(3, 5), k=4, select="meta_rm")
    assert rated.failures_by_reason == {Reason.META: 4}


def test_a_truncated_text_stays_truncated_in_a_replay(tmp_path: Path) -> None:
    from grm_plugin.engine import Draw

    def cut(request: SampleRequest, i: int) -> Draw:
        return Draw("\\boxed{5, 5}", "length")

    record(tmp_path / "r.jsonl", group(1, 2), script=cut, k=2)
    (found,) = replay(tmp_path / "r.jsonl", group(1, 2), k=2)
    assert found.failures_by_reason == {Reason.TRUNCATED: 2}


def test_a_record_of_a_release_that_knew_no_money_is_read_and_says_nothing_of_it() -> None:
    group = Group.of("q", ["a", "b"])
    judgment = Judgment(0, (0, 1), 0, "text", (9.0, 3.0), prompt_tokens=7, money=0.5)
    lost = Failure(1, (0, 1), 0, Reason.TIMEOUT, "late")
    cost = Cost.of([judgment, lost], 1.5)
    record = to_record(Verdict(group, (0.9, 0.2), (judgment,), (lost,), cost=cost))
    assert from_record(record).cost == Cost(7, 0, 1.5, 0.5, 1)
    for one in (record["cost"], *record["judgments"], *record["failures"]):
        del one["money"]
    del record["cost"]["unpriced"]
    old = from_record(record)
    assert (old.cost.money, old.cost.unpriced, old.judgments[0].money) == (None, 0, None)
    assert old.spent.unpriced == 2


@pytest.mark.parametrize("place", ["cost", "judgments"])
def test_money_that_is_not_finite_is_no_verdict(place: str) -> None:
    judgment = Judgment(0, (0,), 0, "text", (9.0,), money=0.5)
    verdict = Verdict(Group.of("q", ["a"]), (0.9,), (judgment,), cost=Cost.of([judgment]))
    record = to_record(verdict)
    (record[place] if place == "cost" else record[place][0])["money"] = float("inf")
    with pytest.raises(RecordError, match="expected finite numbers, got inf"):
        from_record(record)
