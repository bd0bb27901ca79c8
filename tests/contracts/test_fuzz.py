"""Every contract against an independent oracle; ``python -m tests.contracts.fuzz`` tries more."""

from __future__ import annotations

import pytest

from tests.contracts.fuzz.__main__ import NAMES, differences, readable


@pytest.mark.parametrize("name", NAMES)
def test_contract_and_oracle_never_differ(name: str) -> None:
    assert list(differences(name, 20_000)) == []


@pytest.mark.parametrize("name", ["boxed", "section", "tag", "json"])
def test_generated_texts_are_read_and_refused(name: str) -> None:
    assert 0.05 < readable(name) < 0.95
