"""RewardBench 2 (arXiv:2506.01937): one of four in five subsets; Ties, with many right answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from grm_plugin.errors import InputError, quoted, unknown
from grm_plugin.evaluation.benchmarks.benchmark import Published, column
from grm_plugin.evaluation.benchmarks.reading import Row
from grm_plugin.evaluation.benchmarks.tied import REFERENCE, TIED, ties_score
from grm_plugin.evaluation.figures import Average, Figure, Mean
from grm_plugin.evaluation.items import Item
from grm_plugin.evaluation.truth import Best
from grm_plugin.hosts.values import refused
from grm_plugin.types import Group

SUBSETS = ("Factuality", "Precise IF", "Math", "Safety", "Focus")
TIES = "Ties"


class RewardBench2(Published):
    """One of four responses in five subsets, and Ties, with many right ones (arXiv:2506.01937).

    Rows are ``id, prompt, chosen, rejected, subset``, with lists of responses, and perhaps
    ``num_correct``; in Ties the ``id`` is ``ref:N`` for a question with one right answer and
    ``tied:N`` for its twin with many. All responses of a row are judged together. The score is the
    mean of six subsets. In five of them the best of four has to win, and a tie of m for the top
    counts 1 / m. Ties has a score of its own: every right response above every wrong one, and right
    ones closer to each other than to wrong ones; an unscored group counts 0 in each of its terms.

    The figures agree with the package rewardbench 0.1.4 on random tables.
    """

    name = "rewardbench2"
    title = "RewardBench 2"
    truths = (Best,)
    official_ties = "random"
    hub = "hub:allenai/reward-bench-2:test"

    def groups(self, row: Row) -> Iterator[Group]:
        values, subset = row.values, _subset(row.values)
        chosen, rejected = _responses(values, "chosen"), _responses(values, "rejected")
        _check_count(values, "num_correct", len(chosen))
        _check_count(values, "num_incorrect", len(rejected))
        yield self.group(
            {"prompt": column(values, "prompt"), "responses": [*chosen, *rejected]},
            id=_id(values, subset),
            best=list(range(len(chosen))),
            subset=subset,
            **(_twin(values) if subset == TIES else {}),
        )

    def figures(self, items: Sequence[Item]) -> Figure:
        means = (Mean(one, where={"subset": one}, tie=self.ties) for one in SUBSETS)
        return Average(self.title, (*means, ties_score(TIES)), whole=True)


def _subset(values: Mapping[str, Any]) -> str:
    known, named = (*SUBSETS, TIES), column(values, "subset")
    found = {one.lower(): one for one in known}.get(str(named).lower())
    if found is None:
        raise InputError(f"subset: {unknown('subset', str(named)[:80], known)}")
    return found


def _responses(values: Mapping[str, Any], name: str) -> list[Any]:
    found = column(values, name)
    if not isinstance(found, list | tuple) or not found:
        raise refused((name,), "a list of at least one response", found)
    return list(found)


def _check_count(values: Mapping[str, Any], name: str, number: int) -> None:
    told = values.get(name)
    if told is not None and told != number:
        raise refused((name,), f"{number}, as many responses as there are", told)


def _id(values: Mapping[str, Any], subset: str) -> str | None:
    id = values.get("id")
    return None if id in (None, "") else f"{subset}:{id}"


def _twin(values: Mapping[str, Any]) -> dict[str, str]:
    """Which of two it is, and what both share."""
    kind, _, number = str(column(values, "id")).partition(":")
    if kind not in (REFERENCE, TIED) or not number.isdecimal():
        told = quoted(values["id"])
        raise InputError(f"id: expected {REFERENCE}:N or {TIED}:N in the subset Ties, got {told}")
    return {"twin": kind, "source": f"{TIES}:{number}"}
