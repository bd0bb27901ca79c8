"""Groups without a reward at the policy update, in the host's own code.

A judge fails for half of the prompts. The same run without these prompts is what it is compared
with.
"""

from __future__ import annotations

import asyncio
import math
import statistics
from typing import Any

import pytest
import torch

from grm_openrlhf.weightless import without_weight
from grm_plugin.errors import TransportError
from grm_plugin.testing import ScriptedEngine
from tests.adapters.openrlhf.conftest import Actor, MakeActor, shown
from tests.adapters.openrlhf.updates import Trainer, evaluated, experiences, filtered

COMPARE_SIBLINGS = ("group_norm", "dr_grpo", "rloo")
# and how far from a run without unscored groups the advantages of scored ones may be: the measure
# of all tokens has one more for each unscored response, which is much only beside a critic that
# knows nothing, since most advantages are near 0 then
COMPARE_OTHERS = {
    "flash_reinforce": 1e-5,
    "reinforce_baseline": 0.01,
    "reinforce": 0.01,
    "gae": 0.15,
}
SAMPLES = 4
WORDS = (60, 180, 120, 150)
PROMPTS = 8
EVERY_OTHER = range(1, PROMPTS, 2)


def text(words: int) -> str:
    return " ".join(["word"] * words)


def judged(request: Any, i: int) -> str | TransportError:
    """Scores a response by its length, and nothing of a prompt that says so."""
    if "no judge" in request.messages[-1].content:
        return TransportError("the judge is away")
    scores = (min(10, 1 + len(one.split()) // 20) for one in shown(request))
    return f"\\boxed{{{', '.join(map(str, scores))}}}"


async def rolled_out(
    actor: Actor, without: range, temperature: float = 1.0, prompts: range = range(PROMPTS)
) -> list[list[dict[str, Any]]]:
    """Groups that are under way together; those ``without`` get no reward."""
    calls = [
        actor.generate_responses(
            f"{number} {'no judge' * (number in without)}",
            [text(words + number) for words in WORDS],
            temperature=temperature,
        )
        for number in prompts
    ]
    return list(await asyncio.gather(*calls))


def flat(groups: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    return [output for group in groups for output in group]


async def both(actor: MakeActor, trainer: Trainer) -> tuple[list[Any], list[Any], list[Any]]:
    """Scored and unscored responses of a run, and the scored ones of a run with no others."""
    engine = ScriptedEngine(judged)
    mixed = trainer.update(flat(await rolled_out(actor(engine, k=1), EVERY_OTHER)))
    scored = range(0, PROMPTS, 2)
    alone = trainer.update(flat(await rolled_out(actor(engine, k=1), range(0), prompts=scored)))
    groups = [mixed[start : start + SAMPLES] for start in range(0, len(mixed), SAMPLES)]
    return (
        [one for number, group in enumerate(groups) if number not in EVERY_OTHER for one in group],
        [one for number, group in enumerate(groups) if number in EVERY_OTHER for one in group],
        alone,
    )


@pytest.mark.parametrize("estimator", COMPARE_SIBLINGS)
async def test_unscored_groups_have_advantage_0_and_leave_the_others_as_they_are(
    actor: MakeActor, tokenizer: Any, estimator: str
) -> None:
    scored, unscored, alone = await both(actor, Trainer(estimator, SAMPLES, tokenizer))
    assert [one.advantage for one in unscored] == pytest.approx([0.0] * len(unscored), abs=1e-6)
    assert [one.gradient for one in unscored] == pytest.approx([0.0] * len(unscored), abs=1e-7)
    assert [one.advantages for one in scored] == [
        pytest.approx(one.advantages, abs=1e-5) for one in alone
    ]


@pytest.mark.parametrize(("estimator", "apart"), COMPARE_OTHERS.items())
async def test_where_others_are_the_measure_unscored_responses_weigh_one_token(
    actor: MakeActor, tokenizer: Any, estimator: str, apart: float
) -> None:
    scored, unscored, alone = await both(actor, Trainer(estimator, SAMPLES, tokenizer))
    assert [len(one.advantages) for one in unscored] == [1] * len(unscored)
    assert sum(one.weight for one in unscored) < 0.01
    for one, other in zip(scored, alone, strict=True):
        assert one.advantages == pytest.approx(other.advantages, abs=apart)


@pytest.mark.parametrize(
    ("estimator", "factor"),
    [
        ("dr_grpo", 1.0),
        ("reinforce_baseline", 1.0),
        ("group_norm", math.sqrt(3 / 2)),
        ("rloo", 8 / 9),
    ],
)
async def test_one_unscored_response_of_four_changes_its_siblings_by_a_known_factor(
    actor: MakeActor, tokenizer: Any, estimator: str, factor: float
) -> None:
    """Whitening is left out, since a group of its own would be all it sees."""
    outputs = await actor(ScriptedEngine(judged), k=1).generate_responses(
        "q", [text(words) for words in (20, 100, 150, 40)]
    )
    siblings = outputs[:3]
    mean = statistics.fmean(one["reward"] for one in siblings)
    filled = without_weight({**outputs[3], "reward": mean, "scores": mean}, 512)
    found = Trainer(estimator, 4, tokenizer, no_std_norm=True).update([*siblings, filled])
    alone = Trainer(estimator, 3, tokenizer, no_std_norm=True).update(siblings)
    shift = alone[0].advantage * factor - found[0].advantage  # of the mean over all tokens
    assert abs(shift) < 0.01
    for one, other in zip(found[:3], alone, strict=True):
        assert one.advantage == pytest.approx(other.advantage * factor - shift, abs=1e-6)


async def test_the_token_that_keeps_its_weight_is_none_that_the_policy_wrote(
    actor: MakeActor, tokenizer: Any
) -> None:
    one = actor(ScriptedEngine(judged), k=1)
    (unscored,) = await one.generate_responses("no judge here", ["word word"])
    ((start, end),) = unscored["action_ranges"]
    tokens = unscored["observation_tokens"]
    assert tokenizer.decode(tokens[:end]) == "no judge here"
    assert end - start == 1


@pytest.mark.parametrize("estimator", [*COMPARE_SIBLINGS, *COMPARE_OTHERS])
async def test_penalties_on_length_make_no_difference_where_there_is_no_reward(
    actor: MakeActor, tokenizer: Any, estimator: str
) -> None:
    penalties = {
        "overlong_buffer_len": 8,
        "overlong_penalty_factor": 1.0,
        "stop_properly_penalty_coef": -0.5,
    }
    groups = await rolled_out(actor(ScriptedEngine(judged), k=1), EVERY_OTHER)
    for group in groups:
        assert {output["truncated"] for output in group} == {False}
    trainer = Trainer(estimator, SAMPLES, tokenizer, penalties=penalties)
    updated = trainer.update(flat(groups))
    for number in EVERY_OTHER:
        group = updated[number * SAMPLES : (number + 1) * SAMPLES]
        assert len({round(one.advantage, 6) for one in group}) == 1


async def test_the_mean_reward_of_a_step_is_that_of_its_scored_groups(actor: MakeActor) -> None:
    groups = await rolled_out(actor(ScriptedEngine(judged), k=1), EVERY_OTHER)
    outputs = flat(groups)
    own = [one["reward"] for one in outputs if not one["extra_logs"]["grm/unscored_rate"]]
    mean = statistics.fmean(own)
    assert statistics.fmean(one["reward"] for one in outputs) == pytest.approx(mean)
    logged = [one["extra_logs"]["grm/reward_mean"] for one in outputs]
    assert statistics.fmean(logged) == pytest.approx(mean)


async def test_what_the_host_logs_of_unscored_responses_is_finite(actor: MakeActor) -> None:
    for one in experiences(flat(await rolled_out(actor(ScriptedEngine(judged)), EVERY_OTHER))):
        assert one.action_mask.sum() >= 1
        assert all(torch.isfinite(value).all() for value in one.info.values())


async def test_dynamic_filtering_drops_unscored_groups_and_takes_others(
    actor: MakeActor, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = actor(ScriptedEngine(judged), k=1, run={"filtering": True})
    groups = await rolled_out(one, EVERY_OTHER)
    kept = filtered(groups, monkeypatch, wanted=PROMPTS // 2)
    assert len(kept) == PROMPTS // 2 * SAMPLES
    assert all(not experience.info["grm/unscored_rate"].item() for experience in kept)
    assert all(math.isfinite(output["reward"]) for output in flat(groups))


async def test_an_evaluation_reports_its_scored_groups(actor: MakeActor) -> None:
    one = actor(ScriptedEngine(judged), k=1)
    await rolled_out(one, range(0))  # rewards of training, which are none of its business
    mixed = evaluated(await rolled_out(one, EVERY_OTHER, temperature=0.6))
    scored = range(0, PROMPTS, 2)
    fresh = actor(ScriptedEngine(judged), k=1)
    alone = evaluated(await rolled_out(fresh, range(0), temperature=0.6, prompts=scored))
    for metric in ("pass1", "pass4"):
        assert mixed[metric] == pytest.approx(alone[metric], abs=1e-6)


async def test_an_evaluation_with_no_reward_at_all_is_no_number(actor: MakeActor) -> None:
    one = actor(ScriptedEngine(judged), k=1, dead_groups=100)
    await rolled_out(one, range(0))
    found = evaluated(await rolled_out(one, range(PROMPTS), temperature=0.6))
    assert math.isnan(found["pass1"])
    assert math.isnan(found["pass4"])
    assert not found["pass1"] > -math.inf  # as the host compares it with the best so far
