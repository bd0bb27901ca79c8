"""All adapters keep one contract."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest

from grm_plugin.testing.contract import Claim, claims
from grm_plugin.testing.host import Host

# the class of each host, and what has to be installed for it
HOSTS = {
    "trl": ("TRLHost", "trl"),
    "openrlhf": ("OpenRLHFHost", "openrlhf"),
    "serving": ("GetRewardHost", "fastapi"),
    "serving groups": ("ScoreHost", "fastapi"),
}


def cases() -> list[Any]:
    found = []
    for name, (kind, needed) in HOSTS.items():
        host = getattr(import_module(f"tests.adapters.hosts.{name.split()[0]}"), kind)()
        missing = pytest.mark.skipif(find_spec(needed) is None, reason=f"needs {needed}")
        found += [
            pytest.param(host, one, id=f"{name}-{one.__name__}", marks=missing)
            for one in claims(host)
        ]
    return found


@pytest.mark.parametrize(("host", "claim"), cases())
def test_an_adapter_keeps_the_contract(host: Host, claim: Claim) -> None:
    claim(host)
