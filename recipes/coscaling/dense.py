"""Teach a trunk each kind of requirement by itself, before it becomes a scalar RM.

``python -m recipes.coscaling.dense GROUPS --base FOLDER --out FOLDER``. A judge has learned from
texts that name every requirement; a scalar RM learns from one label a group. This gives it the same
supervision: one head for each kind of requirement says whether a response misses it. The heads are
thrown away, and ``grm train scalar --base`` takes the trunk.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    Trainer,
    TrainingArguments,
    set_seed,
)

from grm_plugin.hosts.inputs.lines import read_json_lines
from grm_plugin.pipeline.scalar_reading import load_scalar_template
from grm_plugin.reference.tasks.task import KINDS, Requirement, fulfilled
from grm_plugin.report.terminal import say
from grm_plugin.spct.classifier_trainer import padded
from grm_plugin.spct.scalar_encoding import ScalarEncoder
from grm_plugin.types import Group
from recipes.coscaling.plan import HERE


def main(
    groups: Annotated[Path, typer.Argument(help="RM data of `grm train tasks`.")],
    base: Annotated[Path, typer.Option(help="Folder of the judge.")],
    out: Annotated[Path, typer.Option(help="Folder for the trunk, as a language model.")],
    epochs: Annotated[float, typer.Option(help="Passes over the responses.")] = 1.0,
    learning_rate: Annotated[float, typer.Option(help="Of AdamW.")] = 5e-4,
    seed: Annotated[int, typer.Option(help="Of the heads and the order.")] = 1,
) -> None:
    """Train the trunk of BASE on every response of GROUPS, and save it with BASE's own head."""
    torch.set_num_threads(1)
    set_seed(seed)
    tokenizer = AutoTokenizer.from_pretrained(base)
    template = load_scalar_template(f"{HERE}/scalar.txt")
    encoder = ScalarEncoder(tokenizer, f"base {base}", template)
    rows = [row for _, row in read_json_lines(groups)]
    model = AutoModelForSequenceClassification.from_pretrained(
        base, num_labels=len(KINDS), problem_type="multi_label_classification"
    )
    trainer = DenseTrainer(
        model,
        _arguments(out, epochs, learning_rate, seed),
        data_collator=collate,
        train_dataset=[one for row in rows for one in examples(row, encoder)],
    )
    loss = trainer.train().training_loss
    whole = AutoModelForCausalLM.from_pretrained(base)
    whole.base_model.load_state_dict(model.base_model.state_dict())
    whole.save_pretrained(out)
    tokenizer.save_pretrained(out)
    say(f"{trainer.state.global_step} steps, mean loss {loss:.3f} nats a head; trunk in {out}")


def examples(row: Mapping[str, Any], encoder: ScalarEncoder) -> Iterator[dict[str, Any]]:
    """Each response of a row with what it misses: 1 for a kind that is asked for and missed."""
    asked = [
        Requirement(one["kind"], tuple(one["words"]), tuple(one["numbers"]))
        for one in row["requirements"]
    ]
    group = Group.of(row["prompt"], row["responses"])
    for response, ids in zip(row["responses"], encoder.encode(group), strict=True):
        missed = {one.kind for one in asked if not fulfilled(one, response)}
        yield {"input_ids": ids, "labels": [float(kind in missed) for kind in KINDS]}


class DenseTrainer(Trainer):
    """Trains all heads of a sequence classifier."""

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The mean cross-entropy of the heads."""
        model.config.pad_token_id = inputs["pad"]
        outputs = model(**{name: value for name, value in inputs.items() if name != "pad"})
        return (outputs.loss, outputs) if return_outputs else outputs.loss


def collate(found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A batch of responses."""
    labels = torch.tensor([one["labels"] for one in found])
    return {**padded([one["input_ids"] for one in found]), "labels": labels}


def _arguments(out: Path, epochs: float, learning_rate: float, seed: int) -> TrainingArguments:
    return TrainingArguments(
        str(out / "checkpoints"),
        num_train_epochs=epochs,
        learning_rate=learning_rate,
        per_device_train_batch_size=128,
        train_sampling_strategy="group_by_length",
        warmup_steps=0.05,
        seed=seed,
        save_strategy="no",
        logging_steps=50,
        remove_unused_columns=False,
        use_cpu=not torch.cuda.is_available(),
        bf16=torch.cuda.is_available(),
        disable_tqdm=True,
        report_to=[],
    )


if __name__ == "__main__":
    typer.run(main)
