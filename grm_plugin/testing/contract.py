"""One contract for every adapter: a trainer's data in, its rewards out, whatever happens.

Write a :class:`grm_plugin.testing.host.Host` that drives your adapter as its trainer would, and run
every claim that holds for it::

    @pytest.mark.parametrize("claim", claims(MyHost()), ids=lambda claim: claim.__name__)
    def test_contract(claim):
        claim(MyHost())

A claim is an AssertionError's worth of plain Python; nothing here needs pytest.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from grm_plugin.errors import ConfigError, InputError, JudgeDeadError
from grm_plugin.testing.checks import (
    check,
    check_refused,
    check_without_reward,
    frame_of,
    qualities,
    responses_of,
    unit,
)
from grm_plugin.testing.host import FAILS, MISCOUNTED, QUALITY, REFUSED, Asked, Datum, Host, Step
from grm_plugin.types.scalars import sigmoid

Claim = Callable[[Host], None]


def equal_groups_get_equal_rewards_in_their_order(host: Host) -> None:
    """The reward of a response is the judge's score for it, mapped to 0..1."""
    step = Step(host)
    found = step.rewards(qualities("one", 1, 10, 4), qualities("two", 7, 2, 3))
    check(found, unit(1, 10, 4), unit(7, 2, 3))


def a_group_is_judged_whole_and_once(host: Host) -> None:
    """One call of the judge a group and sample, with all the responses of that group in it."""
    step = Step(host)
    step.rewards(qualities("one", 1, 10, 4), qualities("two", 7, 2, 3))
    seen = sorted(sorted(QUALITY.findall(text)) for text in map(responses_of, step.shown))
    assert seen == [["1", "10", "4"], ["2", "3", "7"]], seen


def rewards_do_not_depend_on_the_order_of_arrival(host: Host) -> None:
    """Whoever comes first, everybody gets the reward of their own response."""
    asked = (qualities("one", 1, 10, 4), qualities("two", 7, 2, 3))
    order = [(1, 2), (0, 1), (1, 0), (0, 2), (0, 0), (1, 1)]
    check(Step(host).rewards(*asked, order=order), unit(1, 10, 4), unit(7, 2, 3))


def an_unscored_group_has_no_reward_and_costs_no_other(host: Host) -> None:
    """None where the trainer can do without; else one finite number for the whole group."""
    found = Step(host).rewards(qualities("one", 1, 10), qualities(FAILS, 7, 2))
    check(found[:1], unit(1, 10))
    check_without_reward(host, found[1])


def a_response_that_breaks_the_count_costs_only_itself(host: Host) -> None:
    """None where the trainer can do without; else the mean of its group."""
    asked = Asked("one", ["quality 3", f"quality 9 {MISCOUNTED}", "quality 5"])
    ((first, broken, last),) = Step(host).rewards(asked)
    check([[first, last]], unit(3, 5))
    if host.abstains:
        assert broken is None, f"expected None, got {broken}"
    else:
        check([[broken]], unit(4))


def equal_responses_get_equal_rewards(host: Host) -> None:
    """Also when several completions of a prompt say the same."""
    check(Step(host).rewards(qualities("one", 5, 5, 9, 5)), unit(5, 5, 9, 5))


def thinking_that_opens_a_completion_is_not_judged(host: Host) -> None:
    """Unless the option says so, and text that only mentions the marks stays."""
    asked = Asked(
        "one", ["<think>quality 9</think>quality 2", "quality 7: write <think> and </think> so"]
    )
    step = Step(host)
    check(step.rewards(asked), unit(2, 7))
    assert "quality 9" not in step.shown[0]
    assert "and </think> so" in step.shown[0] or "quoted" in step.shown[0]
    check(Step(host).rewards(asked, thinking="keep"), unit(9, 7))


def a_thought_that_was_cut_is_no_answer_where_thoughts_must_be_closed(host: Host) -> None:
    """With ``thinking: closed`` the judge sees an empty answer."""
    asked = Asked("one", ["perhaps quality 9, and", "hm</think>quality 7"])
    step = Step(host)
    check(step.rewards(asked, thinking="closed"), unit(1, 7))


def messages_of_the_prompt_keep_their_roles(host: Host) -> None:
    """System prompt, earlier turns and question are shown, past thinking is not."""
    prompt = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Name a tree."}]},
        {"role": "assistant", "content": "<think>elm?</think>Oak."},
        {"role": "user", "content": "Another!"},
    ]
    step = Step(host)
    check(step.rewards(Asked(prompt, ["quality 3", "quality 4"])), unit(3, 4))
    for text in ("Be brief.", "Name a tree.", "Oak.", "Another!"):
        assert text in step.shown[0], f"expected {text!r} in what the judge sees"
    assert "elm?" not in step.shown[0]


def calls_of_tools_are_part_of_a_completion(host: Host) -> None:
    """Each on a line that names the tool, with its result."""
    call = {"type": "function", "function": {"name": "search", "arguments": '{"q": "tree"}'}}
    turns = [
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "name": "search", "content": "oak"},
        {"role": "assistant", "content": "quality 8"},
    ]
    step = Step(host)
    check(step.rewards(Asked("one", [turns, turns[2:]])), unit(8, 8))
    assert '[call of search] {"q": "tree"}\n[result of search] oak' in step.shown[0]


def _about(picture: str) -> list[dict[str, Any]]:
    parts = [{"type": "image", "image": picture}, {"type": "text", "text": "Which animal?"}]
    return [{"role": "user", "content": parts}]


def what_the_judge_can_not_see_is_refused(host: Host) -> None:
    """An image in a prompt ends the step with its name, before a token is spent."""
    step = Step(host)
    asked = Asked(_about("cat.png"), ["quality 1", "quality 2"])
    check_refused(
        InputError, "a part 'image' that the judge can not see", lambda: step.rewards(asked)
    )
    assert not step.shown


def prompts_with_other_images_are_other_groups(host: Host) -> None:
    """With ``unseen: tell`` the text is judged, and two pictures are never one prompt."""
    step = Step(host)
    cat, dog = (
        Asked(_about(name), [f"quality {point}" for point in points])
        for name, points in (("cat.png", (1, 2)), ("dog.png", (3, 4)))
    )
    check(step.rewards(cat, dog, unseen="tell"), unit(1, 2), unit(3, 4))
    assert len(step.shown) == 2


def a_reference_answer_is_shown(host: Host) -> None:
    """To the judge, beside the question."""
    step = Step(host)
    step.rewards(qualities("one", 1, 2, reference="the answer is 42"))
    assert "the answer is 42" in step.shown[0]


def a_reference_that_is_missing_is_none(host: Host) -> None:
    """NaN is how tables write a missing value."""
    step = Step(host)
    step.rewards(qualities("one", 1, 2, reference=math.nan))
    assert "nan" not in frame_of(step.shown[0]).lower()


def a_scalar_rm_decides_where_it_is_sure(host: Host) -> None:
    """Its votes are the rewards of that group, and the judge is shown the other one alone."""
    cascade = {"classifier": "qualities", "use": "cascade", "audit": 1e-9}
    step = Step(host)
    found = step.rewards(qualities("one", 2, 9), qualities("two", 4, 4), config={"scalar": cascade})
    check(found, (sigmoid(2.0), sigmoid(9.0)), unit(4, 4))
    assert len(step.shown) == 1 and "quality 4" in step.shown[0], step.shown


def a_scalar_rm_alone_asks_no_judge(host: Host) -> None:
    """The baseline: rewards are its votes, or its logits as they are."""
    alone = {"classifier": "qualities", "use": "alone", "center": 5.0}
    step = Step(host)
    found = step.rewards(qualities("one", 2, 9), config={"engine": "none", "scalar": alone})
    check(found, (sigmoid(-3.0), sigmoid(4.0)))
    assert not step.shown


def a_dead_judge_ends_the_run(host: Host) -> None:
    """Instead of training on nothing; the error says why the last group has no reward."""
    asked = [qualities(f"{FAILS}: {n}", 1, 2) for n in range(6)]
    patience = {"dead_groups": 3, "dead_after_s": 0.0, "max_concurrent_groups": 1}
    step = Step(host)
    check_refused(
        JudgeDeadError, "the judge is away", lambda: step.rewards(*asked, config=patience)
    )


def a_judge_that_refuses_us_ends_the_run_at_once(host: Host) -> None:
    """With what to change, and however much patience there is for a judge that is away."""
    asked = [qualities(f"{REFUSED}: {n}", 1, 2) for n in range(24)]
    step = Step(host)
    one = {"max_concurrent_groups": 1}
    check_refused(JudgeDeadError, "api_key_env", lambda: step.rewards(*asked, config=one))
    assert len(step.shown) < len(asked)


def an_option_that_is_misspelt_is_named(host: Host) -> None:
    """Before anything starts."""
    step = Step(host)
    asked = qualities("one", 1, 2)
    check_refused(ConfigError, "did you mean 'unseen'", lambda: step.rewards(asked, unsen="tell"))


_ANY: tuple[Claim, ...] = (
    equal_groups_get_equal_rewards_in_their_order,
    a_group_is_judged_whole_and_once,
    rewards_do_not_depend_on_the_order_of_arrival,
    an_unscored_group_has_no_reward_and_costs_no_other,
    a_response_that_breaks_the_count_costs_only_itself,
    equal_responses_get_equal_rewards,
    thinking_that_opens_a_completion_is_not_judged,
    a_thought_that_was_cut_is_no_answer_where_thoughts_must_be_closed,
    a_scalar_rm_decides_where_it_is_sure,
    a_scalar_rm_alone_asks_no_judge,
    a_dead_judge_ends_the_run,
    a_judge_that_refuses_us_ends_the_run_at_once,
    an_option_that_is_misspelt_is_named,
)
_NEEDING: dict[Datum, tuple[Claim, ...]] = {
    "messages": (
        messages_of_the_prompt_keep_their_roles,
        what_the_judge_can_not_see_is_refused,
        prompts_with_other_images_are_other_groups,
    ),
    "completions as messages": (calls_of_tools_are_part_of_a_completion,),
    "reference": (a_reference_answer_is_shown, a_reference_that_is_missing_is_none),
}


def claims(host: Host) -> list[Claim]:
    """The claims that hold for an adapter of this host."""
    more = [claim for datum in sorted(host.hands_over) for claim in _NEEDING[datum]]
    return [*_ANY, *more]
