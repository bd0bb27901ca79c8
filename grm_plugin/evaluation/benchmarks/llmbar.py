"""LLMBar: which of two outputs follows an instruction (arXiv:2310.07641)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from grm_plugin.evaluation.benchmarks.benchmark import Published, column
from grm_plugin.evaluation.benchmarks.naming import folder_of
from grm_plugin.evaluation.benchmarks.reading import Row
from grm_plugin.evaluation.figures import Average, Figure, Mean, each_of
from grm_plugin.evaluation.items import SECTION, SUBSET, Item
from grm_plugin.evaluation.truth import Best
from grm_plugin.hosts.values import refused
from grm_plugin.types import Group, digest

NATURAL, ADVERSARIAL, PROCESSED = "Natural", "Adversarial", "Processed"
SUBSETS = {
    NATURAL: (NATURAL,),
    ADVERSARIAL: ("Neighbor", "GPTInst", "GPTOut", "Manual"),
    PROCESSED: ("MT-Bench", "FairEval", "LLMEval^2"),
}
"""The folders of its repository by the part of the benchmark that they are."""


class LLMBar(Published):
    """419 pairs of outputs, one of which follows the instruction.

    Rows are ``input, output_1, output_2, label`` with label 1 or 2; the folder that a file lies in
    says its subset. ``Processed`` holds pairs of other benchmarks in the same schema (MT-Bench,
    FairEval, LLMEval^2), which are told apart and are no part of the score.
    """

    name = "llmbar"
    title = "LLMBar"
    truths = (Best,)

    def groups(self, row: Row) -> Iterator[Group]:
        subset = folder_of(row, self.path)
        values, asked = row.values, column(row.values, "input")
        yield self.group(
            {
                "prompt": asked,
                "responses": [column(values, "output_1"), column(values, "output_2")],
            },
            id=f"{subset}/{row.number + 1}",
            best=_best(column(values, "label")),
            subset=subset,
            section=next((name for name, of in SUBSETS.items() if subset in of), subset),
            source=digest(str(asked)),
        )

    def figures(self, items: Sequence[Item]) -> Figure:
        """All of its own pairs, Natural, the mean of the adversarial sets; other sets apart."""
        own = {
            name: Mean(name, where={SUBSET: name}, tie=self.ties)
            for name in (NATURAL, *SUBSETS[ADVERSARIAL])
        }
        adversarial = tuple(own[name] for name in SUBSETS[ADVERSARIAL])
        others = (one for one in each_of(items, SUBSET, tie=self.ties) if one.name not in own)
        return Mean(
            self.title,
            where={SECTION: (NATURAL, ADVERSARIAL)},
            tie=self.ties,
            below=(own[NATURAL], Average(ADVERSARIAL, adversarial, whole=True), *others),
        )


def _best(label: Any) -> int:
    if str(label) not in ("1", "2"):
        raise refused(("label",), "1 or 2", label)
    return int(label) - 1
