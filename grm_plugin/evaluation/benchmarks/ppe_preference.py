"""PPE Preference: which of two answers people on Chatbot Arena preferred (arXiv:2410.14872)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from grm_plugin.evaluation.benchmarks.benchmark import Published, column
from grm_plugin.evaluation.benchmarks.reading import Row
from grm_plugin.evaluation.figures import Figure, Mean
from grm_plugin.evaluation.items import Item
from grm_plugin.evaluation.truth import Best
from grm_plugin.hosts.values import refused
from grm_plugin.types import Group

BEST = {"model_a": 0, "model_b": 1}
KINDS = {
    "hard_prompt": "hard prompts",
    "easy_prompt": "easy prompts",
    "if_prompt": "instruction following",
    "is_code": "code",
    "math_prompt": "mathematics",
}
"""Columns that say of a prompt that it is of a kind, and how figures call it."""
NO_WINNER = "the people saw no winner"


class PPEPreference(Published):
    """Human preferences between two models' answers.

    Rows are ``question_id, prompt, response_1, response_2, winner``, the winner ``model_a``,
    ``model_b`` or a tie. Rows where people saw no winner are left out, and told: no judge can be
    right or wrong about them. Further columns that say of what kind a prompt is give figures of
    their own. The correlations of rankings of models that its authors report are not computed.
    """

    name = "ppe_preference"
    title = "PPE Preference"
    truths = (Best,)
    hub = "hub:lmarena-ai/PPE-Human-Preference-V1"

    def groups(self, row: Row) -> Iterator[Group]:
        values, winner = row.values, str(column(row.values, "winner"))
        if winner.startswith("tie"):
            self.leave_out(NO_WINNER)
            return
        if winner not in BEST:
            raise refused(("winner",), "model_a, model_b or a tie", winner)
        kinds = {name: True for name in KINDS if values.get(name) is True}
        yield self.group(
            {
                "prompt": column(values, "prompt"),
                "responses": [column(values, "response_1"), column(values, "response_2")],
            },
            id=str(column(values, "question_id")),
            best=BEST[winner],
            language=values.get("language"),
            model_a=values.get("model_a"),
            model_b=values.get("model_b"),
            **kinds,
        )

    def figures(self, items: Sequence[Item]) -> Figure:
        """Accuracy over all pairs with a winner, and over those of each kind of prompt."""
        there = [name for name in KINDS if any(one.metadata.get(name) for one in items)]
        kinds = (Mean(KINDS[name], where={name: True}, tie=self.ties) for name in there)
        return Mean(self.title, tie=self.ties, below=tuple(kinds))
