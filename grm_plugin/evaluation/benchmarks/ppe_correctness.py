"""PPE Correctness: which of a model's own answers are correct, on five sets with a checker."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from grm_plugin.evaluation.aggregates import PPE_CORRECTNESS
from grm_plugin.evaluation.benchmarks.benchmark import BenchmarkOptions, Published, column
from grm_plugin.evaluation.benchmarks.conflicts import CONFLICTS, accuracy
from grm_plugin.evaluation.benchmarks.naming import named_in
from grm_plugin.evaluation.benchmarks.reading import Row, rows_of
from grm_plugin.evaluation.figures import Average, Figure
from grm_plugin.evaluation.items import PAIR, Item
from grm_plugin.evaluation.truth import Best, Correct, truth_of
from grm_plugin.hosts.values import refused
from grm_plugin.types import Group

SPELLED = {
    "mmlupro": "MMLU-Pro",
    "math": "MATH",
    "gpqa": "GPQA",
    "mbpp": "MBPP-Plus",
    "ifeval": "IFEval",
}
_PAIRS = "sampled_conflict_pairs"
HUB = "hub:lmarena-ai/PPE-*-Best-of-K"


class PPECorrectnessOptions(BenchmarkOptions):
    """Options of PPE Correctness.

    Args:
        shown: ``pairs``: each conflict pair is a group of two, as its scorer has them; ``list``:
            all 32 responses to a prompt are one group, which gives the conflict pairs and the
            best-of-k curves, of a judge that can be shown so many.
    """

    shown: Literal["pairs", "list"] = "pairs"


class PPECorrectness(Published):
    """Conflict pairs, one right and one wrong answer, and best-of-k curves (arXiv:2410.14872).

    Rows are ``question_id, prompt, response_1 .. response_32, scores`` (one for each response) and
    ``sampled_conflict_pairs`` (pairs of places from 0 on). The name of a file, or of a folder that
    it lies in, says which of the five sets it is of. Prompts of one ``question_id`` share a source.
    """

    name = "ppe_correctness"
    title = "PPE Correctness"
    truths = (Best, Correct)
    hub = HUB
    Options = PPECorrectnessOptions
    options: PPECorrectnessOptions

    def rows(self) -> Iterator[Row]:
        if self.options.path:
            yield from super().rows()
            return
        for name in PPE_CORRECTNESS:
            yield from rows_of(HUB.replace("*", name))

    def groups(self, row: Row) -> Iterator[Group]:
        values, asked = row.values, column(row.values, "prompt")
        responses = _responses(values)
        labels = _labels(values, len(responses))
        pairs = column(values, _PAIRS)
        conflicts = self._once(checked_pairs(pairs, labels, _PAIRS))
        name, known = self._names(row)
        if self.options.shown == "list":
            whole = {"prompt": asked, "responses": responses}
            yield self.group(whole, id=name, correct=labels, conflicts=conflicts, **known)
            return
        for i, j in conflicts:
            pair = {"prompt": asked, "responses": [responses[i], responses[j]]}
            yield self.group(pair, id=f"{name}/{i}-{j}", best=int(labels[j] > labels[i]), **known)

    def _once(self, pairs: Sequence[list[int]]) -> list[list[int]]:
        once = [list(pair) for pair in dict.fromkeys(map(tuple, pairs))]
        for _ in range(len(pairs) - len(once)):
            self.leave_out("a conflict pair that is there twice")
        return once

    def _names(self, row: Row) -> tuple[str, dict[str, str]]:
        """The id of a row, and what its groups belong to."""
        subset = named_in(row, self.options.path or "", SPELLED, what="data set")
        question = f"{subset}/{column(row.values, 'question_id')}"
        model = row.values.get("model_name")
        id = f"{question}/{model}" if model else question
        return id, {"subset": subset, "source": question}

    def check(self, group: Group) -> None:
        super().check(group)
        if (conflicts := group.metadata.get(CONFLICTS)) is not None:
            truth = truth_of(group)
            labels = truth.labels_N if isinstance(truth, Correct) else ()
            checked_pairs(conflicts, labels, CONFLICTS)
        elif len(group.responses) != PAIR:
            raise refused((CONFLICTS,), f"those of {len(group.responses)} responses", None)

    def figures(self, items: Sequence[Item]) -> Figure:
        """The mean of the five sets' accuracies on conflict pairs; curves below those of lists."""
        sets = (accuracy(name, items, ties=self.ties) for name in PPE_CORRECTNESS)
        return Average(self.title, of=tuple(sets), whole=True)


def _responses(values: Mapping[str, Any]) -> list[Any]:
    """Of the columns ``response_1``, ``response_2`` and so on."""
    found = list[Any]()
    while (name := f"response_{len(found) + 1}") in values:
        found.append(column(values, name))
    if len(found) < 2:
        raise refused(("response_1",), "columns response_1, response_2, ...", list(values)[:8])
    return found


def _labels(values: Mapping[str, Any], number: int) -> list[int]:
    scores = column(values, "scores")
    if not isinstance(scores, list | tuple) or len(scores) != number:
        raise refused(("scores",), f"{number} of them, one for each response", scores)
    for place, score in enumerate(scores):
        if not isinstance(score, bool | int | float) or score not in (0, 1):
            raise refused(("scores", place), "0 or 1, or true or false", score)
    return [int(score) for score in scores]


def checked_pairs(pairs: Any, labels_N: Sequence[int], name: str) -> list[list[int]]:
    """Pairs of places, as they stand; each is of a right and a wrong response.

    Raises:
        InputError: names the place under ``name``, what was expected and what came.
    """
    if not isinstance(pairs, list | tuple):
        raise refused((name,), "a list of pairs", pairs)
    for number, pair in enumerate(pairs):
        if not isinstance(pair, list | tuple) or len(pair) != 2 or not all(map(_whole, pair)):
            raise refused((name, number), "two places of responses", pair)
        if not all(0 <= one < len(labels_N) for one in pair) or _alike(pair, labels_N):
            raise refused((name, number), "places of a right and of a wrong response", pair)
    return [[int(one) for one in pair] for pair in pairs]


def _alike(pair: Sequence[int], labels_N: Sequence[int]) -> bool:
    return labels_N[pair[0]] == labels_N[pair[1]]


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
