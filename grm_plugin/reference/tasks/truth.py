"""Whether a judgment is true, word for word: what the checker would have written by it."""

from __future__ import annotations

from collections.abc import Sequence

from grm_plugin.reference.tasks.judgment import Criterion, judgment_text, title, true_critique
from grm_plugin.reference.tasks.reading import read_judgment
from grm_plugin.reference.tasks.task import Task


def is_true(text: str, task: Task, responses: Sequence[str]) -> bool:
    """Whether all that a judgment says is so: its criteria, its evidence, its sums.

    Which of the task's requirements it goes by, and their weights, are the judge's own choice.

    Args:
        text: of the judgment.
        task: what was asked.
        responses: in the order in which the judge saw them.
    """
    asked = {title(one): one for one in task.requirements}
    reading = read_judgment(text)
    if not set(reading.titles) <= asked.keys():
        return False
    weighed = zip(reading.titles, reading.weights, strict=True)
    criteria = [Criterion(asked[name], weight) for name, weight in weighed]
    return text.strip() == judgment_text(criteria, [true_critique(criteria, r) for r in responses])
