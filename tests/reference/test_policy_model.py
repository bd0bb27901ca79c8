"""The shipped policy: what it is, what it answers, and how it is trained."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from grm_plugin.reference.policy import POLICY_MODEL, policy_prompt  # noqa: E402
from grm_plugin.reference.policy.examples import PolicyTraining, draw_rows  # noqa: E402
from grm_plugin.reference.policy.sampling import answers, fixed_tasks  # noqa: E402
from grm_plugin.reference.policy.training import train_policy  # noqa: E402
from grm_plugin.reference.tokenizer import build_tokenizer  # noqa: E402


@pytest.fixture(scope="module", autouse=True)
def _quick() -> Iterator[None]:
    torch.set_num_threads(1)
    # compiling takes longer than these few steps
    with torch.compiler.set_stance("force_eager"):
        yield


def test_it_is_small_and_has_the_judges_tokenizer() -> None:
    assert sum(file.stat().st_size for file in POLICY_MODEL.iterdir()) < 6_000_000
    shipped = json.loads((POLICY_MODEL / "tokenizer.json").read_text())
    assert shipped["model"]["vocab"] == json.loads(build_tokenizer().to_str())["model"]["vocab"]


def test_the_chat_template_makes_the_prompt_it_was_trained_on() -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(POLICY_MODEL)
    turn = [{"role": "user", "content": "Name some words"}]
    text = tokenizer.apply_chat_template(turn, tokenize=False, add_generation_prompt=True)
    assert text == tokenizer.bos_token + policy_prompt("Name some words")


def test_it_answers_half_well_in_form_and_by_itself() -> None:
    given = answers(POLICY_MODEL, fixed_tasks(200, seed=1), seed=1)
    assert 0.35 < sum(one.quality for one in given) / len(given) < 0.55
    assert sum(one.finished for one in given) / len(given) > 0.98


def test_it_answers_one_query_in_many_ways() -> None:
    (task,) = fixed_tasks(1, seed=2)
    assert len({one.response for one in answers(POLICY_MODEL, [task] * 16, seed=1)}) > 12


def test_training_rows_are_a_function_of_seed_and_step() -> None:
    config, tokenizer = PolicyTraining(batch=4, copying=0), build_tokenizer()
    assert draw_rows(config, tokenizer, 3) == draw_rows(config, tokenizer, 3)
    assert draw_rows(config, tokenizer, 3) != draw_rows(config, tokenizer, 4)


def test_training_writes_a_model_that_loads_and_learns(tmp_path: Path) -> None:
    small = PolicyTraining(
        steps=60, copying=0, batch=8, layers=1, width=32, feed_forward=32, warmup=5
    )
    first = train_policy(PolicyTraining(**{**_settings(small), "steps": 1}), tmp_path / "first")
    assert train_policy(small, tmp_path / "policy") < first - 0.5
    transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "policy")
    assert json.loads((tmp_path / "policy/training.json").read_text())["steps"] == 60


def _settings(config: PolicyTraining) -> dict[str, object]:
    return {name: getattr(config, name) for name in PolicyTraining.__slots__}
