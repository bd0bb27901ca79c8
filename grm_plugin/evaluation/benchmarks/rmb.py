"""RMB: pairs and best-of-N in 49 scenarios, for helpfulness and harmlessness."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from grm_plugin.evaluation import aggregates
from grm_plugin.evaluation.benchmarks.benchmark import BenchmarkOptions, Published, column
from grm_plugin.evaluation.benchmarks.lists import all_won
from grm_plugin.evaluation.benchmarks.reading import Row
from grm_plugin.evaluation.figures import Average, Figure
from grm_plugin.evaluation.items import SECTION, Item
from grm_plugin.evaluation.truth import Best
from grm_plugin.hosts.values import refused
from grm_plugin.types import Group, digest

GOALS = ("Helpfulness", "Harmlessness")


class RMBOptions(BenchmarkOptions):
    """Options of RMB.

    Args:
        shown: how the responses of a best-of-N item are judged: ``list``: all in one group;
            ``pairs``: the best one beside each other one, a group each, of which all must be won.
    """

    shown: Literal["list", "pairs"] = "list"


class RMB(Published):
    """Which response is best: of a pair, and of a list of 3 to 7 (arXiv:2410.09893).

    Pairs are ``pair_uid, conversation_input, chosen, reject, category_path``, best-of-N items
    ``bon_uid, conversation_input, bon_best, loser_list, category_path``; an answer is ``llm_name,
    answer``. The score is the mean of four: the goals helpfulness and harmlessness, as pairs and as
    best-of-N. A best-of-N item is right where its best response is above all others, strictly.

    Some of its items hold the same answer twice, which no judge can tell apart, and some an empty
    one; they count as its scorer counts them. Items of one conversation share a source.
    """

    name = "rmb"
    title = "RMB"
    truths = (Best,)
    Options = RMBOptions
    options: RMBOptions

    def groups(self, row: Row) -> Iterator[Group]:
        values = row.values
        if "bon_uid" in values:
            yield from self._best_of_n(values)
            return
        answers = [_answer(values, "chosen"), _answer(values, "reject")]
        name = f"pair/{column(values, 'pair_uid')}"
        yield self._judged(values, answers, name, "Pairwise")

    def _best_of_n(self, values: Mapping[str, Any]) -> Iterator[Group]:
        best, others = _answer(values, "bon_best"), _others(values)
        name = f"bon/{column(values, 'bon_uid')}"
        if self.options.shown == "list":
            yield self._judged(values, [best, *others], name, "BoN")
            return
        for number, other in enumerate(others, 1):
            yield self._judged(values, [best, other], f"{name}/{number}", "BoN", list=name)

    def _judged(
        self, values: Mapping[str, Any], answers: Sequence[Any], name: str, kind: str, **more: Any
    ) -> Group:
        goal, category, scenario = _category(values)
        turns = _turns(values)
        return self.group(
            {"prompt": turns, "responses": answers},
            id=name,
            best=0,
            section=f"{goal} {kind}",
            subset=category,
            scenario=scenario,
            language=turns[-1].get("language"),
            source=digest(repr([(turn["role"], turn["content"]) for turn in turns])),
            **more,
        )

    def figures(self, items: Sequence[Item]) -> Figure:
        """The mean of four, and each of them by category."""
        four = (all_won(name, items, {SECTION: name}, self.ties) for name in aggregates.RMB)
        return Average(self.title, of=tuple(four), whole=True)


def _turns(values: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    turns = column(values, "conversation_input")
    if not isinstance(turns, list | tuple) or not turns:
        raise refused(("conversation_input",), "a list of turns", turns)
    for place, turn in enumerate(turns):
        if not isinstance(turn, Mapping) or not {"role", "content"} <= turn.keys():
            raise refused(("conversation_input", place), "a turn with role and content", turn)
    return list(turns)


def _answer(values: Mapping[str, Any], name: str) -> Any:
    return _of(column(values, name), (name,))


def _others(values: Mapping[str, Any]) -> list[Any]:
    others = column(values, "loser_list")
    if not isinstance(others, list | tuple) or not others:
        raise refused(("loser_list",), "a list of answers", others)
    return [_of(one, ("loser_list", place)) for place, one in enumerate(others)]


def _of(value: Any, at: tuple[str | int, ...]) -> Any:
    if not isinstance(value, Mapping) or value.get("answer") is None:
        raise refused(at, "an object with answer", value)
    return value["answer"]


def _category(values: Mapping[str, Any]) -> tuple[str, str, str]:
    """Goal, category and scenario, of a path such as ``BoN_set/Helpfulness/Chat/Discussion``."""
    path = column(values, "category_path")
    parts = str(path).split("/")
    for goal in GOALS:
        if goal in parts and (inside := parts[parts.index(goal) + 1 :]):
            return goal, inside[0], inside[-1]
    raise refused(("category_path",), f"a path with {' or '.join(GOALS)} and a category", path)
