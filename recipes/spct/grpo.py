"""SPCT's second stage in TRL: a judge learns by GRPO, +1 for a judgment that is right, -1 else.

``python recipes/spct/grpo.py --config recipes/spct/reference/grpo.yaml``

Rows are those of ``grm train rl-data``. Run the same command again after a crash, and it goes on
from its last checkpoint. In the output folder are at the end the judge, ``metrics.jsonl`` with one
line for every step, and ``metrics.png``. Keys of the YAML are those of :class:`Judge`, of TRL's
``GRPOConfig`` and of its ``ModelConfig``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datasets import Dataset, load_dataset
from transformers import AutoConfig, AutoTokenizer
from trl import GRPOConfig, GRPOTrainer, ModelConfig, get_peft_config

from grm_plugin.errors import ConfigError
from grm_plugin.report.terminal import say
from grm_plugin.spct.asking import SINGLE
from grm_plugin.spct.curves import save_curves
from grm_trl import OutcomeReward
from grm_trl.resuming import going_on, lora_of
from grm_trl.small import SmallModelGRPOTrainer
from grm_trl.training import MetricsFile, StopAtNaN, check_chat_template, run_command


@dataclass
class Judge:
    """What is learned from, and how the judge answers."""

    data: str = field(metadata={"help": "Rows of `grm train rl-data`, a JSONL file."})
    judge_config: str | None = field(
        default=None, metadata={"help": "Judge settings: their template and contract count."}
    )
    template: str | None = field(default=None, metadata={"help": "Name or file of the prompt."})
    single: str = field(default=SINGLE, metadata={"help": "The prompt for a single response."})
    small_model: bool = field(
        default=False, metadata={"help": "Leave padding out: the same numbers, faster on a CPU."}
    )


def main(judge: Judge, training: GRPOConfig, model: ModelConfig) -> None:
    """Train, save the judge, and draw what happened."""
    settings = {} if judge.template is None else {"template": judge.template}
    reward = OutcomeReward(judge.judge_config, single=judge.single, **settings)
    name = model.model_name_or_path
    tokenizer = AutoTokenizer.from_pretrained(name, revision=model.model_revision)
    check_chat_template(tokenizer, name)
    training.logging_nan_inf_filter = False  # which would hide a loss that is NaN
    folder = Path(training.output_dir)
    training.model_init_kwargs = {
        "dtype": model.dtype,
        "attn_implementation": model.attn_implementation,
        "revision": model.model_revision,
        **(training.model_init_kwargs or {}),
    }
    rows = fitting(_rows(judge.data), training, tokenizer, context_of(model))
    more = {"template": reward.template, "single": judge.single, **lora_of(model)}
    last = going_on(training, name, rows, **more)
    trainer = (SmallModelGRPOTrainer if judge.small_model else GRPOTrainer)(
        name,
        [reward],
        training,
        rows,
        processing_class=tokenizer,
        callbacks=[MetricsFile(folder / "metrics.jsonl"), StopAtNaN()],
        peft_config=get_peft_config(model),
    )
    trainer.train(resume_from_checkpoint=last)
    trainer.save_model(str(folder))
    if trainer.is_world_process_zero():
        save_curves(folder / "metrics.png", trainer.state.log_history, name=reward.__name__)


def _rows(path: str) -> Dataset:
    if not Path(path).is_file():
        raise ConfigError(f"data: expected a file of `grm train rl-data`, got {path!r}")
    return load_dataset("json", data_files=path, split="train")


def context_of(model: ModelConfig) -> int | None:
    """Tokens that the model can hold; None where it does not say."""
    config = AutoConfig.from_pretrained(model.model_name_or_path, revision=model.model_revision)
    return getattr(config.get_text_config(), "max_position_embeddings", None)


def fitting(rows: Dataset, training: GRPOConfig, tokenizer: Any, context: int | None) -> Dataset:
    """The rows that leave room for a whole judgment in the context; the others are counted.

    Args:
        rows: of `grm train rl-data`.
        training: with the tokens of a judgment, and vLLM's context where that draws.
        tokenizer: of the model.
        context: tokens that the model can hold; None: any number.

    Raises:
        ConfigError: there is none.
    """
    limits = [context, training.vllm_max_model_length if training.use_vllm else None]
    known = [limit for limit in limits if limit]
    if not known:
        return rows
    room = min(known) - training.max_completion_length
    kept = rows.filter(lambda row: _tokens(row["prompt"], tokenizer) <= room)
    if not len(kept):
        raise ConfigError(
            f"none of {len(rows)} prompts has {room} tokens or fewer, which the context of "
            f"{min(known)} (of the model, or vllm_max_model_length) less max_completion_length "
            "leaves; raise the first or lower the second"
        )
    if len(kept) < len(rows):
        say(f"{len(rows) - len(kept):,} of {len(rows):,} prompts are over {room} tokens: left out")
    return kept


def _tokens(prompt: list[dict[str, str]], tokenizer: Any) -> int:
    return len(tokenizer.apply_chat_template(prompt, add_generation_prompt=True, return_dict=False))


if __name__ == "__main__":
    run_command(main, Judge, GRPOConfig, ModelConfig)
