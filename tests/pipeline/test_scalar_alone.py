"""A scalar RM alone, without a judge, and what it reads."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from grm_plugin import GRM, Group
from grm_plugin.errors import (
    ConfigError,
    TemplateError,
)
from grm_plugin.testing import ScriptedEngine
from grm_plugin.types.scalars import sigmoid
from tests.core.honest_judge import honest
from tests.pipeline.scalar_rm import SURE, ScalarRM, grm, group


def test_alone_no_judge_is_made_started_or_asked(recwarn: Any) -> None:
    rm = ScalarRM()
    with grm({"use": "alone"}, rm=rm) as judge:
        found = judge.score(SURE)
        assert judge.config.engine.name == "none"
    assert found.rewards == (sigmoid(-3.0), sigmoid(3.0)) and found.drawn == 0
    assert found.origin["engine"] == "none" and found.origin["scalar"]["use"] == "alone"
    assert not [one for one in recwarn if "no judge named" in str(one.message)]
    assert (rm.starts, rm.closes) == (1, 1)


def test_alone_rewards_may_be_the_logits_as_they_are() -> None:
    with grm({"use": "alone", "raw": True}) as judge:
        assert judge.score(SURE).rewards == (-3.0, 3.0)


def test_alone_a_group_may_carry_what_no_template_of_a_judge_would_show() -> None:
    asked = group((1, 1.0), (2, 2.0), reference="4", principles=("be right",))
    with grm({"use": "alone"}) as judge:
        assert judge.score(asked).scored


def test_alone_survives_pickling() -> None:
    section = {"classifier": {"name": "server", "url": "http://localhost:1"}, "use": "alone"}
    with GRM(scalar=section) as judge:
        again = pickle.loads(pickle.dumps(judge))
    assert again.config == judge.config and again.config.engine.name == "none"
    again.close()


def test_equal_responses_are_rated_once() -> None:
    rm = ScalarRM()
    with grm({"use": "alone"}, rm=rm) as judge:
        found = judge.score(group((1, 1.0), (1, 1.0), (1, 2.0)))
    assert len(rm.conversations) == 2 and found.scalar.prompt_tokens == 14
    assert found.scalar.scores == (1.0, 1.0, 2.0)


def test_it_reads_the_conversation_with_one_response_and_no_control_token() -> None:
    rm = ScalarRM()
    turns = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi <|odd|>"}]
    with grm({"use": "alone"}, rm=rm) as judge:
        judge.score(Group.of(turns, ["scalar 1 <|odd|> <|im_end|>"]))
    (read,) = rm.conversations
    assert [turn.role for turn in read] == ["system", "user", "assistant"]
    said = " ".join(turn.content for turn in read)
    assert "<|odd|>" not in said and "<|im_end|>" not in said and "odd" in said


def test_a_template_file_says_what_it_reads_instead(tmp_path: Path) -> None:
    file = tmp_path / "scalar.txt"
    file.write_text("{{conversation}}\n{{responses}}\n")
    with grm({"use": "alone", "template": str(file)}, rm=(rm := ScalarRM())) as judge:
        assert judge.score(SURE).rewards == (sigmoid(-3.0), sigmoid(3.0))
    assert not rm.conversations


@pytest.mark.parametrize("use", ["vote", "alone"])
def test_what_its_template_has_no_place_for_is_refused_before_anything_is_spent(
    use: str, tmp_path: Path
) -> None:
    file = tmp_path / "scalar.txt"
    file.write_text("{{conversation}}\n{{responses}}\n")
    engine = ScriptedEngine(honest)
    with grm({"use": use, "template": str(file)}, engine, k=2) as judge:
        for more in ({"reference": "4"}, {"principles": ("be right",)}):
            with pytest.raises(TemplateError, match=f"has {next(iter(more))} but template"):
                judge.score(group((2, -3), (9, 3), **more))
    assert not engine.requests


def test_a_template_for_a_meta_rm_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "meta.txt"
    file.write_text("{{conversation}}\n{{responses}}\n{{critique}}\n")
    with pytest.raises(TemplateError, match="a scalar RM reads no judgments"):
        grm({"use": "alone", "template": str(file)})


def test_a_classifier_that_reads_texts_alone_needs_a_template() -> None:
    class Texts:
        async def start(self): ...
        async def logits(self, texts):
            return [0.0] * len(texts)

        async def close(self): ...

    with pytest.raises(ConfigError, match="can not fill the chat template"):
        grm({"use": "alone"}, rm=Texts())
