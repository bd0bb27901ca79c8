"""JudgeBench: which of two responses is objectively correct, asked in both orders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from grm_plugin.evaluation.benchmarks.benchmark import Published, column
from grm_plugin.evaluation.benchmarks.reading import Row, rows_of
from grm_plugin.evaluation.figures import Figure, Mean, each_of
from grm_plugin.evaluation.items import SECTION, SUBSET, Item
from grm_plugin.evaluation.outcomes import Outcome
from grm_plugin.evaluation.truth import Best
from grm_plugin.hosts.values import refused
from grm_plugin.types import Group

SECTIONS = {
    "mmlu-pro": "Knowledge",
    "livebench-reasoning": "Reasoning",
    "livebench-math": "Mathematics",
    "livecodebench": "Coding",
}
"""Its four categories, by how the ``source`` of a row begins."""
SPLITS = ("gpt", "claude")
"""Its two sets on the hub, by the model whose responses they hold; their scores are told apart."""
MODEL = "response_model"
_LABELS = ("A>B", "B>A")


class JudgeBench(Published):
    """Pairs of responses to hard questions, of which one is correct (arXiv:2410.12784).

    Rows are ``pair_id, original_id, source, question, response_model, response_A, response_B,
    label``, the label ``A>B`` or ``B>A``. Its scorer asks in both orders: whoever wins one and does
    not lose the other has won, so that a tie in one order is neutral; one win each is a tie, and
    counts nothing. Here the samples that saw a pair in one order decide together who wins it; a
    judge with k = 2 and balanced orders is asked just as there. Where there is one order only, it
    decides. An unscored pair counts nothing, whatever judgments it has.
    """

    name = "judgebench"
    title = "JudgeBench"
    truths = (Best,)
    hub = "hub:ScalerLab/JudgeBench"

    def rows(self) -> Iterator[Row]:
        if self.options.path:
            yield from super().rows()
            return
        for split in SPLITS:
            yield from rows_of(f"{self.hub}:{split}")

    def groups(self, row: Row) -> Iterator[Group]:
        values = row.values
        origin = str(column(values, "source"))
        yield self.group(
            {
                "prompt": column(values, "question"),
                "responses": [column(values, "response_A"), column(values, "response_B")],
            },
            id=str(column(values, "pair_id")),
            best=_best(column(values, "label")),
            subset=origin,
            section=_section(origin),
            source=values.get("original_id"),
            response_model=values.get(MODEL),
        )

    def figures(self, items: Sequence[Item]) -> Figure:
        """All pairs, each category and each model's; then the same without regard to orders."""
        parts = (
            *each_of(items, SECTION, tie=self.ties, decide=over_orders),
            *each_of(items, MODEL, tie=self.ties, decide=over_orders),
            Mean("by the reward alone", tie=self.ties, below=each_of(items, SUBSET, tie=self.ties)),
        )
        return Mean(self.title, tie=self.ties, decide=over_orders, below=parts)


def over_orders(item: Item) -> Outcome | None:
    """Right where the right response of a pair wins more orders than it loses, wrong where fewer.

    An item that does not say what each order came to goes by its reward.
    """
    unscored = item.outcome is Outcome.UNSCORED
    if unscored or not item.scores_by_order or not isinstance(item.truth, Best):
        return item.outcome
    (best,) = item.truth.indices
    lead = sum(_decided(scores_N, best) for scores_N in item.scores_by_order)
    return Outcome.RIGHT if lead > 0 else Outcome.WRONG if lead < 0 else Outcome.TIE


def _decided(scores_N: Sequence[float], best: int) -> int:
    """1, -1 or 0: the right response wins, the other one does, or neither."""
    return (scores_N[best] > scores_N[1 - best]) - (scores_N[best] < scores_N[1 - best])


def _best(label: Any) -> int:
    if label not in _LABELS:
        raise refused(("label",), " or ".join(_LABELS), label)
    return _LABELS.index(label)


def _section(origin: str) -> str:
    found = (name for start, name in SECTIONS.items() if origin.startswith(start))
    return next(found, "other")
