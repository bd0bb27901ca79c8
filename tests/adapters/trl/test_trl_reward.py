from __future__ import annotations

import asyncio
import json
import math
import pickle
import random
from collections import defaultdict
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import grm_trl
from grm_plugin import GRMConfig
from grm_plugin.engine import SampleRequest
from grm_plugin.errors import ConfigError, JudgeDeadError, TransportError
from grm_plugin.hosts.counting import Tally
from grm_plugin.hosts.metrics import numbers
from grm_plugin.hosts.rounding import as_trained
from grm_plugin.plugins import Plugin, installed
from grm_plugin.records import read_verdicts
from grm_plugin.report.training import steps_of
from grm_plugin.size import Size
from grm_plugin.testing import ScriptedEngine, scripted
from grm_plugin.types import Group, Verdict
from grm_trl import AsyncGRMReward, GRMReward, UnscoredError, host, plugin
from tests.adapters.trl.conftest import RESPONSE

Make = Callable[..., GRMReward]
TWO = {"prompts": ["p", "p"], "completions": ["x", "y"]}
NINE_THREE = ["\\boxed{9, 3}"]


class Trainer:
    """What a reward call lets through of a trainer."""

    def __init__(self, num_generations: int = 2, *names: str) -> None:
        self.num_generations, self.num_generations_eval = num_generations, 3
        self.model = SimpleNamespace(training=True)
        self.reward_func_names = names or ("grm",)
        self.numbers: dict[str, float] = {}
        self.columns: dict[str, list[Any]] = defaultdict(list)

    def log_extra(self, column: str, values: list[Any]) -> None:
        self.columns[column].extend(values)

    def call(self, reward: GRMReward, **rows: Any) -> Any:
        state = SimpleNamespace(global_step=7)
        log = {"log_extra": self.log_extra, "log_metric": self.numbers.__setitem__}
        return reward(**(rows or TWO), completion_ids=[], trainer_state=state, **log)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.text("xyz", max_size=3))), st.integers())
def test_any_arrangement_of_the_rows_gives_each_row_the_same_reward(
    make_once: Make, rows: list[tuple[str, str]], seed: int
) -> None:
    reward = make_once()
    order = random.Random(seed).sample(range(len(rows)), len(rows))
    straight = reward([p for p, _ in rows], [c for _, c in rows])
    arranged = reward([rows[i][0] for i in order], [rows[i][1] for i in order])
    assert arranged == [straight[i] for i in order]


@pytest.fixture(scope="module")
def make_once() -> Make:
    from tests.adapters.trl.conftest import by_group

    reward = GRMReward(engine="scripted", k=1, plugins=scripted(by_group))
    return lambda: reward


def test_interleaved_responses_are_judged_with_their_siblings(
    make: Make, engine: ScriptedEngine
) -> None:
    make(k=1)(["p", "q", "p", "q"], ["p1", "q1", "p2", "q2"])
    shown = [request.messages[-1].content for request in engine.requests]
    assert [("p1" in text, "p2" in text, "q1" in text) for text in shown] == [
        (True, True, False),
        (False, False, True),
    ]


def test_a_repeated_prompt_is_cut_at_the_size_the_trainer_tells(
    make: Make, engine: ScriptedEngine
) -> None:
    rows = {"prompts": ["p"] * 4, "completions": list("wxyz")}
    Trainer(2).call(make(k=1), **rows)
    assert len(engine.requests) == 2
    make(k=1)(**rows)
    assert len(engine.requests) == 3
    make(k=1, num_generations=1)(**rows)
    assert len(engine.requests) == 7


def test_evaluation_has_a_group_size_of_its_own() -> None:
    trainer = Trainer(2)
    assert host.generations(trainer) == 2
    trainer.model.training = False
    assert host.generations(trainer) == 3
    assert host.generations(None) is None


def test_a_group_size_that_is_not_the_trainers_is_refused(
    make: Make, engine: ScriptedEngine
) -> None:
    reward, trainer = make(num_generations=4), Trainer(2)
    with pytest.raises(ConfigError, match=r"num_generations: expected 2, as the trainer.* got 4"):
        trainer.call(reward)
    assert not engine.requests


def test_a_given_group_size_gives_way_to_the_one_of_an_evaluation(
    make: Make, engine: ScriptedEngine
) -> None:
    reward, trainer = make(num_generations=2, k=1), Trainer(2)
    trainer.model.training = False
    trainer.call(reward, prompts=["p"] * 3, completions=list("xyz"))
    assert len(engine.requests) == 1


class OneMissing:
    """A judge that leaves one response of every group unscored."""

    config, watch, audits = GRMConfig(), None, None

    def score_batch(self, groups: list[Group], *, size: Size | None) -> list[Verdict]:
        return [
            Verdict(group, (0.9, None), unscored_responses={1: "it breaks its group"})
            for group in groups
        ]


def test_a_response_without_a_reward_gets_none_alone_and_is_told_of(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    reward, trainer = make(), Trainer()
    reward._grm = OneMissing()
    assert trainer.call(reward) == [0.9, None]
    assert trainer.columns["grm_critique"] == ["", "no reward: it breaks its group"]
    assert trainer.numbers["grm/unscored_rate"] == 0.0
    assert trainer.numbers["grm/reward_mean"] == 0.9
    assert "1 responses of 1 scored groups have no reward; response 2 of group" in caplog.text


def test_unscored_stop_also_stops_at_a_single_response(make: Make) -> None:
    reward = make(unscored="stop")
    reward._grm = OneMissing()
    with pytest.raises(UnscoredError, match=r"response 2 of group .* is unscored: it breaks"):
        reward(**TWO)


def test_identical_completions_are_shown_once_and_get_the_same_reward(
    make: Make, engine: ScriptedEngine
) -> None:
    rewards = make(k=1)(["p"] * 3, ["same", "other", "same"])
    assert rewards[0] == rewards[2]
    assert engine.requests[0].messages[-1].content.count("same\n") == 1


def test_empty_completions_are_shown_as_such(make: Make, engine: ScriptedEngine) -> None:
    rewards = make(k=1)(["p", "p"], ["", "<think>never ends"])
    assert rewards[0] == rewards[1]
    assert "(this response is empty)" in engine.requests[0].messages[-1].content


def test_marks_of_thinking_that_the_judge_is_told_are_those_of_the_policy_too(
    make: Make, engine: ScriptedEngine
) -> None:
    marks = {"thinking": {"marks": [["<plan>", "</plan>"]]}}
    make(k=1, **marks)(["p"] * 2, ["<plan>zebra</plan>moon", "sun"])
    shown = engine.requests[0].messages[-1].content
    assert "moon" in shown
    assert "zebra" not in shown


class Tokenizer:
    """A chat template that opens a thought, or wants more than it gets."""

    response_template = response_schema = None

    def __init__(self, **more: Any) -> None:
        vars(self).update(more)

    def apply_chat_template(self, chat: Any, **options: Any) -> str:
        assert options == {"add_generation_prompt": True, "tokenize": False, "chat_template": "own"}
        return "user: ? assistant: <think>\n"


def broken(chat: Any, **options: Any) -> str:
    raise ValueError("no system turn")


@pytest.mark.parametrize(
    ("processing", "opening"),
    [
        (Tokenizer(), "user: ? assistant: <think>\n"),
        (Tokenizer(response_template={"fields": {}}), ""),
        (Tokenizer(tokenizer=Tokenizer(response_schema={})), ""),
        (Tokenizer(apply_chat_template=broken), ""),
        (None, ""),
    ],
    ids=["opens", "parsed", "parsed by the inner tokenizer", "broken", "none"],
)
def test_what_the_chat_template_opens_is_taken_from_the_trainer(
    processing: Any, opening: str
) -> None:
    trainer = SimpleNamespace(processing_class=processing, chat_template="own")
    assert host.opening(trainer) == opening


def veto(request: SampleRequest, i: int) -> str:
    """A judge that sees one response too many where one speaks of another."""
    prompt = request.messages[-1].content
    responses = [match[2] for match in RESPONSE.finditer(prompt)]
    extra = any("and a third" in text for text in responses)
    return f"\\boxed{{{', '.join(['7'] * (len(responses) + extra))}}}"


def test_a_response_that_breaks_the_count_of_its_group_gets_none_and_its_siblings_rewards(
    make: Make,
) -> None:
    trainer = Trainer(3)
    rows = {"prompts": ["p"] * 3, "completions": ["moon", "sun and a third", "stars"]}
    rewards = trainer.call(make(veto), **rows)
    assert rewards[1] is None
    assert rewards[0] == rewards[2] == pytest.approx(6 / 9)
    told = trainer.columns["grm_critique"]
    assert "no reward: " in told[1] and "miscounts or can not be read" in told[1]
    assert not any("no reward" in told[n] for n in (0, 2))


def test_a_call_without_completions_gives_no_rewards(make: Make) -> None:
    assert make()(prompts=[], completions=[]) == []


def test_an_unscored_group_gets_none_and_the_others_their_rewards(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    def half_dead(request: Any, i: int) -> Any:
        text = request.messages[-1].content
        return TransportError("gone") if "user: q" in text else NINE_THREE[0]

    trainer = Trainer()
    rows = {"prompts": ["p", "q", "p", "q"], "completions": list("wxyz")}
    rewards = trainer.call(make(half_dead), **rows)
    assert rewards[1] is rewards[3] is None
    assert None not in (rewards[0], rewards[2])
    assert trainer.numbers["grm/unscored_rate"] == 0.5
    assert "no reward" not in trainer.columns["grm_critique"][0]
    assert "0 of 2 samples are valid" in trainer.columns["grm_critique"][1]
    assert "1 of 2 groups have no reward" in caplog.text


def test_unscored_stop_raises_with_the_reason(make: Make) -> None:
    with pytest.raises(UnscoredError, match=r"group .* is unscored: .*gone.*unscored: abstain"):
        make([TransportError("gone")], unscored="stop")(**TWO)


def test_a_judge_that_stays_dead_raises(make: Make) -> None:
    reward = make([TransportError("gone")], dead_groups=2, dead_after_s=0)
    assert reward(**TWO) == [None, None]
    with pytest.raises(JudgeDeadError, match="2 groups in a row"):
        reward(**TWO)


def test_round_to_makes_near_rewards_tie(make: Make) -> None:
    script = ["\\boxed{8, 8}", "\\boxed{8, 8}", "\\boxed{8, 9}", "\\boxed{8, 8}"]
    assert len(set(make(script, k=4)(**TWO))) == 2
    trainer = Trainer()
    rewards = trainer.call(make(script, k=4, round_to=0.1))
    assert rewards[0] == rewards[1] == pytest.approx(0.8)
    assert trainer.numbers["grm/tie_rate"] == 1.0


def test_rounding_leaves_no_reward_above_one(make: Make) -> None:
    rewards = Trainer().call(make(["\\boxed{10, 10}"], k=1, round_to=0.35))
    assert rewards == [1.0, 1.0]


def test_the_record_counts_as_the_trainer_counted_and_keeps_what_the_judge_gave(
    make: Make, tmp_path: Path
) -> None:
    record = tmp_path / "verdicts.jsonl"
    reward = make(["\\boxed{8, 7}", "\\boxed{7, 7}"], record=record, round_to=0.35)
    Trainer().call(reward)
    logged, (recorded,) = reward.metrics, read_verdicts(record)
    reward.close()
    assert logged["tie_rate"] == 1.0
    again = numbers(Tally.of([recorded]))
    same = ("reward_mean", "reward_spread", "tie_rate")
    assert [again[name] for name in same] == [logged[name] for name in same]
    ((_, step),) = steps_of([recorded]).items()
    assert step.tally.mean_reward == logged["reward_mean"]
    assert recorded.rewards != as_trained(recorded).rewards


def test_metrics_and_columns_carry_the_name_and_are_the_same_at_every_call(make: Make) -> None:
    first, second = Trainer(2, "judge"), Trainer(2, "judge")
    reward = make(name="judge")
    first.call(reward)
    names = reward.metrics.keys()
    second.call(reward, prompts=["p"], completions=["x"])
    assert reward.metrics.keys() == names
    assert set(first.numbers) < {f"judge/{name}" for name in names}
    assert all(map(math.isfinite, (*first.numbers.values(), *second.numbers.values())))
    assert "judge/money" not in first.numbers and math.isnan(reward.metrics["money"])
    assert 0 < second.numbers["judge/step_share"] <= 1
    assert set(first.columns) == {f"judge_{column}" for column in ("critique", "place", "votes")}
    assert {len(values) for values in first.columns.values()} == {2}
    assert reward.metrics["unscored_rate"] == 0.0


def test_the_record_knows_the_step(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "verdicts.jsonl"
    Trainer().call(make(record=path))
    assert json.loads(path.read_text())["group"]["metadata"] == {"step": 7, "phase": "train"}


def test_a_name_that_two_rewards_share_is_refused(make: Make) -> None:
    with pytest.raises(ConfigError, match=r"two rewards of this trainer are called 'grm'"):
        Trainer(2, "grm", "length", "grm").call(make())


def test_single_responses_are_warned_about_once(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    reward = make()
    for _ in range(2):
        reward(["p", "q"], ["x", "y"])
    assert caplog.text.count("every prompt of this call has a single response") == 1


def test_the_async_reward_is_awaited_and_agrees(make: Make, engine: ScriptedEngine) -> None:
    reward = AsyncGRMReward(engine="scripted", k=2, plugins=scripted(engine))
    assert asyncio.run(reward(**TWO)) == make()(**TWO)
    assert asyncio.iscoroutinefunction(reward.__call__)


def test_settings_come_from_keywords_a_file_an_object_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "judge.yaml"
    path.write_text("engine: {name: server, url: 'http://localhost:8001/v1', model: grm}\nk: 3\n")
    assert GRMReward(path).config.k == 3
    assert GRMReward(str(path), k=5).config.k == 5
    assert GRMReward(GRMConfig.load(path), k=6, round_to=0.1).config.k == 6
    assert GRMReward(path, **{"engine.model": "other"}).config.engine.options["model"] == "other"
    monkeypatch.setenv("GRM_CONFIG", str(path))
    assert GRMReward().config.engine.name == "server"


def with_adapter(*more: Plugin) -> Any:
    """Everything installed, and this adapter where it is not."""
    there = any(offer.name == "trl" for offer in installed().offers() if offer.kind == "adapter")
    return scripted(NINE_THREE, *more, *([] if there else [Plugin("trl", plugin)]))


def test_a_file_holds_the_adapters_options_and_keywords_go_before_them() -> None:
    config = GRMConfig.model_validate(
        {"engine": "scripted", "adapters": {"trl": {"name": "judge", "thinking": "keep"}}}
    )
    reward = GRMReward(config, thinking="drop", plugins=with_adapter())
    assert (reward.__name__, reward.options.thinking) == ("judge", "drop")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"round_two": 0.1}, r"GRMReward: unknown keyword 'round_two'.*did you mean 'round_to'\?"),
        ({"engin.url": "x"}, r"unknown keyword 'engin.url'"),
        ({"groups": "all"}, r"adapter 'trl': groups: .*'gather', 'check' or 'local'.*got 'all'"),
        ({"round_to": -1}, r"adapter 'trl': round_to: .*more than 0, got -1"),
        ({"round_to": 5}, r"adapter 'trl': round_to: expected at most 0.5, .*\(0 to 1\), got 5"),
        ({"round_to": 30, "vote": "sum", "k": 4}, r"round_to: expected at most 18.*\(4 to 40\)"),
        ({"dead_batches": 3}, r"dead_batches: .*set dead_groups"),
        ({"num_generations": 0}, r"num_generations: .*at least 1, got 0"),
        ({"k": 0}, r"k: .*at least 1, got 0"),
        ({"adapters": {"trll": {}}}, r"unknown adapter 'trll'"),
        ({"prompts": ["p"]}, r"is a class.*name the ready object grm_trl.grm_reward"),
    ],
)
def test_a_wrong_setting_is_refused_before_anything_starts(
    wrong: dict[str, Any], said: str, engine: ScriptedEngine
) -> None:
    with pytest.raises(ConfigError, match=said):
        GRMReward(plugins=scripted(engine), **{"engine": "scripted", **wrong})
    assert engine.starts == 0


@pytest.mark.parametrize("kind", [GRMReward, AsyncGRMReward])
def test_pickling_keeps_the_settings(kind: Any) -> None:
    url = {"name": "server", "url": "http://localhost:8001/v1", "model": "grm"}
    columns = {"reference": "answer"}
    reward = kind(engine=url, k=3, name="judge", columns=columns, round_to=0.05)
    copy = pickle.loads(pickle.dumps(reward))
    assert type(copy) is kind
    assert (copy.config, copy.options, copy.__name__) == (reward.config, reward.options, "judge")


def test_the_lazy_object_is_made_when_asked_for_and_only_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "grm_reward" not in vars(grm_trl)
    path = tmp_path / "judge.yaml"
    path.write_text("engine: {name: server, url: 'http://localhost:8001/v1', model: grm}\n")
    monkeypatch.setenv("GRM_CONFIG", str(path))
    assert grm_trl.grm_reward is grm_trl.grm_reward
    assert grm_trl.grm_reward.config.engine.name == "server"
    del grm_trl.grm_reward
    with pytest.raises(AttributeError, match="no attribute 'grm_rewards'"):
        _ = grm_trl.grm_rewards


def test_a_broken_file_is_said_by_the_lazy_object(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRM_CONFIG", "/nowhere/judge.yaml")
    with pytest.raises(ConfigError, match=r"config /nowhere/judge.yaml can not be read"):
        _ = grm_trl.grm_reward


@pytest.mark.parametrize(
    ("found", "kind", "said"),
    [
        ("1.6.0", GRMReward, r"GRMReward needs trl 1.14.2 or newer \(tested up to 1.16\), got 1.6"),
        ("1.14.1", AsyncGRMReward, r"AsyncGRMReward needs trl 1.14.2 or newer"),
        (None, GRMReward, r"not installed; pip install 'grm-plugin\[trl\]'"),
    ],
)
def test_a_trl_that_does_not_fit_is_refused(
    found: str | None, kind: Any, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version(name: str) -> str:
        if found is None:
            raise PackageNotFoundError(name)
        return found

    monkeypatch.setattr(host, "version", version)
    with pytest.raises(ConfigError, match=said):
        kind(engine="scripted", plugins=scripted(NINE_THREE))


def test_the_adapter_is_announced_under_the_name_of_its_section() -> None:
    offers = [offer for offer in with_adapter().offers() if offer.kind == "adapter"]
    assert ("trl", "grm_trl.GRMReward") in [(offer.name, offer.part.part) for offer in offers]


def test_messages_name_the_reward(make: Make) -> None:
    assert repr(make(name="judge")) == "GRMReward(name='judge', engine='scripted')"
