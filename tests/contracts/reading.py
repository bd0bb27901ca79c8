"""How tests read a text by a contract of the registry."""

from __future__ import annotations

from typing import Any

import pytest

from grm_plugin import contracts
from grm_plugin.contracts.contract import Answer, Contract
from grm_plugin.engine import Limits
from grm_plugin.errors import ParseError
from grm_plugin.types import Scale, Token

UNIT, POINTS = Scale(0, 1), Scale(1, 10)
FACTORIES: dict[str, Any] = {}
contracts.grm_register_contracts(FACTORIES.__setitem__)


def contract(name: str, **options: Any) -> Contract:
    return FACTORIES[name](options, Limits())


def scores(
    contract: Contract,
    text: str,
    n: int,
    scale: Scale = POINTS,
    tokens: tuple[Token, ...] = (),
) -> tuple[float, ...]:
    return contract.read(Answer(text, n, scale, tokens)).scores


def error(contract: Contract, text: str, n: int, scale: Scale = POINTS) -> str:
    """The reason and the message of a text that can not be read."""
    with pytest.raises(ParseError) as caught:
        contract.read(Answer(text, n, scale))
    assert len(str(caught.value)) < 600
    return f"{caught.value.reason}: {caught.value}"
