"""The recipes of real size: keys by the hosts' own parsers, numbers by what they must fit."""

from __future__ import annotations

import dataclasses
import math
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from grm_plugin import GRMConfig
from recipes.spct.reckoning import Recipe, Stage
from recipes.spct.tables import tables

pytest.importorskip("trl")

import torch
from jinja2.exceptions import TemplateError
from transformers import AutoModelForCausalLM, Gemma2Config, Qwen3Config
from transformers.utils.chat_template_utils import render_jinja_template
from trl import GRPOConfig, ModelConfig, SFTConfig, TrlParser

from recipes.spct.grpo import Judge
from recipes.spct.sft import Rows

ROOT = Path(__file__).parents[2]
SPCT = ROOT / "recipes/spct"
QWEN, GEMMA = RECIPES = [Recipe(SPCT / name) for name in ("Qwen3-8B", "gemma-2-27b")]
STAGES = [(recipe, stage) for recipe in RECIPES for stage in recipe.stages]
KINDS: dict[str, tuple[type, ...]] = {
    "sft": (Rows, SFTConfig, ModelConfig),
    "grpo": (Judge, GRPOConfig, ModelConfig),
}
HEADROOM = 0.85  # of a GPU; the rest is for what no formula here counts
ASKED = [{"role": "user", "content": " judge \n"}]
ANSWERED = [*ASKED, {"role": "assistant", "content": "\\boxed{8, 4}"}]

every_recipe = pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.folder.name)
every_stage = pytest.mark.parametrize(
    ("recipe", "stage"), STAGES, ids=[f"{r.folder.name}-{s.name}" for r, s in STAGES]
)


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def kinds_of(stage: Stage) -> tuple[type, ...]:
    return KINDS[stage.name.partition("_")[0]]


def comment(recipe: Recipe, stage: Stage, pattern: str) -> list[int]:
    """The numbers of a comment in the YAML of a stage."""
    found = re.search(pattern, (recipe.folder / f"{stage.name}.yaml").read_text(encoding="utf-8"))
    assert found
    return [int(number.replace(",", "")) for number in found.groups()]


@every_stage
def test_every_key_is_one_that_the_script_takes(recipe: Recipe, stage: Stage) -> None:
    known = {field.name for kind in kinds_of(stage) for field in dataclasses.fields(kind)}
    assert set(stage.settings) - known == set()


@every_stage
def test_the_hosts_parser_reads_the_values(recipe: Recipe, stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "stage.yaml"
    changed = {"output_dir": str(tmp_path), "use_cpu": True, "bf16": False}
    path.write_text(yaml.safe_dump(stage.settings | changed))
    parser = TrlParser(kinds_of(stage))
    *_, training, model = parser.parse_args_and_config(["--config", str(path)])
    assert training.learning_rate == stage.settings["learning_rate"]
    assert model.dtype == "bfloat16"
    assert model.use_peft == (stage.rank is not None)


@every_stage
def test_a_step_takes_as_many_rows_as_its_comment_says(recipe: Recipe, stage: Stage) -> None:
    *factors, batch = comment(recipe, stage, r"(\d+) GPUs? x (\d+) x (\d+) = ([\d,]+) ")
    assert math.prod(factors) == batch == stage.batch
    assert factors[0] == stage.gpus


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.folder.name)
def test_all_weights_learn_as_in_the_paper(recipe: Recipe) -> None:
    sft, _, grpo, _ = recipe.stages
    assert (sft.batch, sft.settings["learning_rate"]) == (1024, 5e-6)
    assert (grpo.batch, grpo.settings["learning_rate"]) == (512, 4e-7)
    assert (grpo.settings["num_generations"], grpo.settings["max_steps"]) == (4, 900)
    assert grpo.rows == 512 * 900
    if recipe is GEMMA:
        assert grpo.settings["beta"] == 0.08


@every_stage
def test_groups_are_whole_on_every_gpu(recipe: Recipe, stage: Stage) -> None:
    if stage.samples:
        rounds = stage.settings["gradient_accumulation_steps"]
        assert stage.rows_a_pass * rounds % stage.settings["num_generations"] == 0


@every_stage
def test_prompt_and_judgment_fit_the_context(recipe: Recipe, stage: Stage) -> None:
    context, settings = recipe.shape.context, stage.settings
    if stage.samples:
        assert settings["vllm_max_model_length"] == context
        assert settings["max_completion_length"] >= 3 * stage.output
        assert stage.prompt + settings["max_completion_length"] < context
        assert stage.gpus % settings["vllm_tensor_parallel_size"] == 0
    else:
        assert settings["max_length"] == context


@every_recipe
def test_the_judge_is_served_within_the_context_and_writes_as_in_training(recipe: Recipe) -> None:
    config = GRMConfig.load(recipe.folder / "judge.yaml")
    serve: Any = config.engine.options["serve"]
    assert serve["args"] == ["--max-model-len", str(recipe.shape.context)]
    lengths = {s.settings["max_completion_length"] for s in recipe.stages if s.samples}
    assert lengths == {config.max_tokens}
    weights = recipe.disk["weights"]
    assert weights < 0.8 * 80 * len(serve["gpus"])


@every_stage
def test_a_gpu_holds_what_the_stage_needs(recipe: Recipe, stage: Stage) -> None:
    assert sum(recipe.memory(stage).values()) < HEADROOM * stage.gpu_gib


@every_stage
def test_vllm_has_room_for_many_judgments(recipe: Recipe, stage: Stage) -> None:
    if stage.samples:
        assert recipe.together(stage) >= 32


def test_reinforcement_of_27b_does_not_fit_one_node() -> None:
    grpo = GEMMA.stages[2]
    one_node = dataclasses.replace(grpo, gpus=8)
    assert sum(GEMMA.memory(one_node).values()) > HEADROOM * grpo.gpu_gib


@pytest.mark.parametrize(("recipe", "kind"), [(QWEN, Qwen3Config), (GEMMA, Gemma2Config)])
def test_weights_are_counted_as_transformers_counts_them(recipe: Recipe, kind: Any) -> None:
    shape = recipe.shape
    config = kind(
        num_hidden_layers=shape.layers,
        hidden_size=shape.hidden,
        intermediate_size=shape.intermediate,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        head_dim=shape.head_dim,
        vocab_size=shape.vocabulary,
        tie_word_embeddings=shape.tied,
    )
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    assert shape.parameters == pytest.approx(model.num_parameters(), rel=1e-3)


@every_recipe
def test_a_readme_has_the_tables_that_its_settings_give(recipe: Recipe) -> None:
    assert tables(recipe) in (recipe.folder / "README.md").read_text(encoding="utf-8")


def rendered(recipe: Recipe, messages: list[dict[str, str]], *, ask: bool) -> str:
    template = (recipe.folder / "chat_template.jinja").read_text(encoding="utf-8")
    found: Any = render_jinja_template(
        [messages], chat_template=template, add_generation_prompt=ask, bos_token="<bos>"
    )
    return str(found[0][0] if isinstance(found, tuple) else found[0])


@every_recipe
def test_a_prompt_is_how_a_whole_row_begins(recipe: Recipe) -> None:
    prompt, row = (
        rendered(recipe, said, ask=ask) for said, ask in ((ASKED, True), (ANSWERED, False))
    )
    assert row.startswith(prompt)
    end = recipe.stages[0].settings["eos_token"]
    assert row == f"{prompt}\\boxed{{8, 4}}{end}\n"
    assert prompt.count(end) == 1


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "system", "content": "be strict"}, *ASKED],
        [*ASKED, *ASKED],
        [{"role": "tool", "content": "4"}],
    ],
)
def test_gemma_has_no_turns_but_those_of_user_and_model(messages: list[dict[str, str]]) -> None:
    with pytest.raises(TemplateError, match="expected"):
        rendered(GEMMA, messages, ask=True)
