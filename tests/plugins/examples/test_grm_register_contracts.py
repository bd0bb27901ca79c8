"""A plug-in that offers a contract: the judge answers with ``Scores: 7, 3`` and nothing else."""

from __future__ import annotations

import sys

import pytest

from grm_plugin import hookimpl
from grm_plugin.contracts.contract import Answer, Reading
from grm_plugin.engine import Limits
from grm_plugin.errors import ParseError
from grm_plugin.plugins import Plugin
from grm_plugin.testing import scripted
from grm_plugin.types import Reason, Scale


class Listed:
    shows = "list"
    stop = ()
    logprobs = 0
    forms = (r"Scores:",)

    def __init__(self, options, limits) -> None: ...

    def read(self, answer: Answer) -> Reading:
        mark, _, numbers = answer.text.strip().partition("Scores:")
        if mark or not numbers.replace(",", "").replace(" ", "").isdecimal():
            raise ParseError(Reason.UNREADABLE, "expected 'Scores:' and numbers, nothing else")
        scores = tuple(float(number) for number in numbers.split(","))
        if len(scores) != answer.n:
            raise ParseError(Reason.WRONG_COUNT, f"expected {answer.n} scores, got {len(scores)}")
        if not all(answer.scale.low <= score <= answer.scale.high for score in scores):
            raise ParseError(Reason.OUT_OF_RANGE, f"expected scores on {answer.scale}")
        return Reading(scores)


@hookimpl
def grm_register_contracts(register) -> None:
    register("listed", Listed)


def test_the_contract_reads_its_own_form_and_nothing_else() -> None:
    plugins = scripted([], Plugin("example", sys.modules[__name__]))
    contract = plugins.make("contract", "listed", {}, Limits())
    assert contract.read(Answer("Scores: 7, 3", 2, Scale(1, 10))).scores == (7, 3)
    for text in ("\\boxed{7, 3}", "Scores: 7", "Scores: 7, 30"):
        with pytest.raises(ParseError):
            contract.read(Answer(text, 2, Scale(1, 10)))
