"""ReaLMistake: whether a single response of an LLM has an error (arXiv:2404.03602)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from grm_plugin.evaluation.benchmarks.benchmark import Published, column
from grm_plugin.evaluation.benchmarks.discrimination import roc_auc
from grm_plugin.evaluation.benchmarks.reading import Row, rows_of
from grm_plugin.evaluation.figures import Average, Figure
from grm_plugin.evaluation.items import SUBSET, Item
from grm_plugin.hosts.inputs.archives import ZIP
from grm_plugin.hosts.values import refused
from grm_plugin.types import Group, digest

TASKS = (
    "math_word_problem_generation",
    "finegrained_fact_verification",
    "answerability_classification",
)
PASSWORD = "open-realmistake"  # noqa: S105  its authors publish it beside the archive
LABELS = {"error": 0, "no_error": 1}
EXAMPLES = "example.jsonl"


class ReaLMistake(Published):
    """900 single responses with and without errors, of three tasks.

    Rows are ``input, llm_response, error_label`` (``error`` or ``no_error``; also called ``label``)
    and ``metadata``; the folder that a file lies in is its task. The data is a zip archive, whose
    published password is known here: its authors ask that no row of it is shown in plain text. The
    figure is the area under the ROC curve of the reward, responses without an error being the
    positive ones. A pair with a response that has no reward counts as lost.
    """

    name = "realmistake"
    title = "ReaLMistake"

    def rows(self) -> Iterator[Row]:
        zipped = self.path.endswith(ZIP) or Path(self.path).is_dir()
        known = PASSWORD if zipped else None
        for row in rows_of(self.path, password=self.options.password or known):
            if row.file.name == EXAMPLES:
                self.leave_out("it is one of the examples that the benchmark holds anyway")
            else:
                yield row

    def groups(self, row: Row) -> Iterator[Group]:
        values = row.values
        about = values.get("metadata")
        known = about if isinstance(about, Mapping) else {}
        task = _task(row, known)
        yield self.group(
            {
                "prompt": column(values, "input"),
                "completion": column(values, "llm_response"),
            },
            id=str(known.get("id") or f"{task}/{row.file.stem}/{row.number + 1}"),
            correct=_label(values),
            subset=task,
            source=digest(str(column(values, "input"))),
            response_model=known.get("llm_response_model"),
        )

    def figures(self, items: Sequence[Item]) -> Figure:
        """The mean of the tasks; each task; all responses pooled."""
        tasks = tuple(roc_auc(task, where={SUBSET: task}) for task in TASKS)
        pooled = roc_auc("all tasks pooled")
        return Average(
            f"{self.title}, mean ROC-AUC of the tasks", of=tasks, whole=True, below=(pooled,)
        )


def _task(row: Row, about: Mapping[str, Any]) -> str:
    """Its folder; of a file that lies in none, what its metadata says."""
    folder = row.file.parent.name
    return folder if folder in TASKS else str(about.get("task_name") or row.file.stem)


def _label(values: Mapping[str, Any]) -> int:
    name = "label" if "error_label" not in values and "label" in values else "error_label"
    label = column(values, name)
    if label not in LABELS:
        raise refused((name,), " or ".join(LABELS), label)
    return LABELS[label]
