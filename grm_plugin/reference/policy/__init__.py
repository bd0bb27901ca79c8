"""The tiny starting policy for the reference tasks: its weights, its prompts, its true quality.

`python -m grm_plugin.reference.policy prompts DIR` writes prompts to train on. A row has the query
as a conversation, which is all that a judge gets to see, and the query's requirements, for the
checker alone. There are no answers in it.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from grm_plugin.reference.tasks import task as tasks
from grm_plugin.reference.tasks.task import Requirement, Task, draw_task
from grm_plugin.reference.tasks.words import Split

POLICY_MODEL = Path(__file__).parents[1] / "policy_model"
"""The shipped weights, in the layout of transformers."""

POLICY_CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}{{ message['content'] }}{{ eos_token }}"
    "{% else %}[Query]\n{{ message['content'] }}\n[Response 1]\n{% endif %}{% endfor %}"
)
"""One query, one response. A query already ends with what asks for the response."""


def policy_prompt(query: str) -> str:
    """What the chat template makes of a query, without the first token, which encoding adds."""
    return f"[Query]\n{query}\n[Response 1]\n"


def prompt_rows(
    number: int, *, seed: int, split: Split = "base", requirements: int | None = None
) -> Iterator[dict[str, Any]]:
    """Distinct queries as rows `{"prompt": conversation, "requirements": [...]}`.

    Args:
        number: how many rows.
        seed: decides the tasks; every seed has its own.
        split: which words and phrasings to use.
        requirements: how many requirements a query has, 1..6; None mixes them.
    """
    rng = random.Random(f"prompts/{seed}/{split}")
    seen: set[str] = set()
    while len(seen) < number:
        task = draw_task(rng, split, requirements=requirements)
        if task.query not in seen:
            seen.add(task.query)
            yield as_row(task)


def as_row(task: Task) -> dict[str, Any]:
    """A task as one row of a prompt dataset."""
    demands = [demand.row for demand in task.requirements]
    return {"prompt": [{"role": "user", "content": task.query}], "requirements": demands}


def write_prompts(folder: Path, number: int, *, seed: int, split: Split = "base") -> Path:
    """Write `folder/train.jsonl`, which `datasets.load_dataset(folder)` reads; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "train.jsonl"
    lines = (
        json.dumps(row, ensure_ascii=False) for row in prompt_rows(number, seed=seed, split=split)
    )
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def true_quality(
    completions: Sequence[str | Sequence[Mapping[str, str]]],
    requirements: Sequence[Sequence[Mapping[str, Any]]],
    **_: object,
) -> list[float]:
    """The hidden checker as a reward of TRL: fractions fulfilled, 0..1 each.

    As the only reward it shows how far the policy could come.

    Args:
        completions: texts, or conversations of which the last message counts.
        requirements: the column of that name, one entry for each completion.

    >>> demand = {"kind": "limit", "words": [], "numbers": [2]}
    >>> true_quality(["sunrise", "sunrise, seaweed, milkman"], [[demand], [demand]])
    [1.0, 0.0]
    """
    return [
        tasks.true_quality(_task(demands), one if isinstance(one, str) else one[-1]["content"])
        for one, demands in zip(completions, requirements, strict=True)
    ]


def watch_true_quality(
    completions: Sequence[str | Sequence[Mapping[str, str]]],
    requirements: Sequence[Sequence[Mapping[str, Any]]],
    log_metric: Callable[[str, float], None],
    **_: object,
) -> list[None]:
    """Logs the mean as the metric `true_quality` and rewards nothing.

    Every reward is None, which TRL leaves out. A reward of weight 0 would not do as well: it turns
    what the judge left unscored into 0.
    """
    qualities = true_quality(completions, requirements)
    log_metric("true_quality", sum(qualities) / len(qualities))
    return [None] * len(qualities)


def _task(demands: Sequence[Mapping[str, Any]]) -> Task:
    read = (
        Requirement(one["kind"], tuple(one["words"] or ()), tuple(one["numbers"] or ()))
        for one in demands
    )
    return Task("", tuple(read))


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m grm_plugin.reference.policy", description=__doc__
    )
    commands = parser.add_subparsers(required=True)
    prompts = commands.add_parser("prompts", help="write a dataset of prompts")
    prompts.add_argument("folder", type=Path)
    prompts.add_argument("--number", type=int, default=4000)
    prompts.add_argument("--seed", type=int, default=0)
    prompts.add_argument("--split", choices=get_args(Split), default="base")
    write_prompts(**vars(parser.parse_args(arguments)))
