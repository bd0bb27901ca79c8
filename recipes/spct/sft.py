"""SPCT's first stage in TRL: a base model learns the judgments that were right.

``python recipes/spct/sft.py --config recipes/spct/reference/sft.yaml``

Rows are those of ``grm train reject``; ``--general`` mixes in instruction data (``messages`` or
``prompt`` and ``completion``), as the paper does, so that a judge does not forget what it could do.
The loss is on the answers alone. Run the same command again after a crash, and it goes on from its
last checkpoint. In the output folder are at the end the judge and ``metrics.jsonl``. Keys of the
YAML are those of :class:`Rows`, of TRL's ``SFTConfig`` and of its ``ModelConfig``.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datasets import Dataset, concatenate_datasets
from transformers import AutoConfig, AutoTokenizer
from trl import ModelConfig, SFTConfig, SFTTrainer, get_peft_config

from grm_plugin.errors import ConfigError
from grm_plugin.hosts.inputs.opening import Input
from grm_plugin.report.terminal import say
from grm_plugin.spct.tuning import (
    Example,
    ExampleEncoder,
    Fitting,
    TooLong,
    check_general,
    general_beside,
    read_examples,
    shuffled,
)
from grm_trl.resuming import going_on, lora_of
from grm_trl.training import MetricsFile, StopAtNaN, run_command

_PART = 4096


@dataclass
class Rows:
    """What is learned."""

    data: str = field(metadata={"help": "Rows of `grm train reject`, a JSONL file."})
    general: str | None = field(
        default=None, metadata={"help": "Instruction data: a file, a folder or hub:owner/name."}
    )
    general_share: float = field(
        default=0.85,
        metadata={"help": "Share of general rows in all rows; the paper's is 0.85, 0 is none."},
    )
    too_long: str = field(
        default="refuse", metadata={"help": "Rows over max_length: `refuse` them or `drop` them."}
    )


def main(rows: Rows, training: SFTConfig, model: ModelConfig) -> None:
    """Train, and save the judge."""
    name, folder = model.model_name_or_path, Path(training.output_dir)
    tokenizer = _tokenizer(training, model)
    training.logging_nan_inf_filter = False  # it would hide a loss that is NaN
    training.model_init_kwargs = {
        **(training.model_init_kwargs or {}),
        "dtype": model.dtype or "auto",
        "attn_implementation": model.attn_implementation,
        "revision": model.model_revision,
    }
    data = _encoded(rows, training, ExampleEncoder(tokenizer, f"model {name!r}"), model)
    last = going_on(training, name, data, **lora_of(model))
    trainer = SFTTrainer(
        name,
        training,
        train_dataset=data,
        processing_class=tokenizer,
        callbacks=[MetricsFile(folder / "metrics.jsonl"), StopAtNaN()],
        peft_config=get_peft_config(model),
    )
    trainer.train(resume_from_checkpoint=last)
    trainer.save_model(str(folder))


def _tokenizer(training: SFTConfig, model: ModelConfig) -> Any:
    """The tokenizer with the chat template and the end token that the settings name."""
    tokenizer = AutoTokenizer.from_pretrained(
        model.model_name_or_path, revision=model.model_revision
    )
    if path := training.chat_template_path:
        if not Path(path).is_file():
            raise ConfigError(f"chat_template_path: expected a file of Jinja, got {path!r}")
        tokenizer.chat_template = Path(path).read_text(encoding="utf-8")
    if training.eos_token:
        tokenizer.eos_token = training.eos_token
    return tokenizer


def _encoded(
    rows: Rows, training: SFTConfig, encoder: ExampleEncoder, model: ModelConfig
) -> Dataset:
    """All rows as tokens, none of which is cut; says how many there are."""
    treatment = _checked(rows)
    longest = _longest(training, model)
    judgments = Fitting(longest)
    data = _fitting(judgments, encoder.encode, read_examples(Input(rows.data)), treatment)
    learned, too_long = len(data), judgments.too_long
    if wanted := general_beside(learned, rows.general_share):
        fitting = Fitting(longest)
        given = shuffled(read_examples(Input(str(rows.general))), training.seed)
        general = _fitting(fitting, encoder.encode, given, treatment, wanted)
        check_general(len(general), learned, rows.general_share)
        data = concatenate_datasets([data, general]).shuffle(seed=training.seed)
        too_long += fitting.too_long
    say(
        f"{learned:,} rows of judgments, {len(data) - learned:,} general ones; "
        f"{too_long:,} are too long and dropped"
    )
    return data


def _checked(rows: Rows) -> TooLong:
    """What happens to rows that are too long, of settings that can be kept."""
    if rows.too_long not in ("refuse", "drop"):
        raise ConfigError(f"too_long: expected refuse or drop, got {rows.too_long!r}")
    if rows.general_share and not rows.general:
        raise ConfigError(
            f"general_share: {rows.general_share:g} of the rows shall be general instruction data, "
            "and --general names none; name it, or set general_share to 0 on purpose"
        )
    return rows.too_long


def _fitting(
    fitting: Fitting,
    encode: Callable[[Example], dict[str, list[int]]],
    examples: Iterable[Example],
    too_long: TooLong,
    most: int | None = None,
) -> Dataset:
    """The first ``most`` of ``examples`` that fit, as tokens."""
    found = _dataset(itertools.islice(fitting.of(map(encode, examples)), most))
    fitting.check(too_long)
    return found


def _longest(training: SFTConfig, model: ModelConfig) -> int | None:
    """Most tokens of a row: those that are set, and no more than the model can hold."""
    config = AutoConfig.from_pretrained(model.model_name_or_path, revision=model.model_revision)
    context = getattr(config.get_text_config(), "max_position_embeddings", None)
    return min([limit for limit in (training.max_length, context) if limit], default=None)


def _dataset(rows: Iterator[dict[str, list[int]]]) -> Dataset:
    """A data set of ``rows``, of which only a few are in memory as Python lists."""
    parts = []
    while part := list(itertools.islice(rows, _PART)):
        parts.append(Dataset.from_list(part))
    return concatenate_datasets(parts) if parts else Dataset.from_list([])


if __name__ == "__main__":
    run_command(main, Rows, SFTConfig, ModelConfig)
