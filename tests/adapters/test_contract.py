"""All adapters keep one contract."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from grm_plugin.testing.contract import Claim, claims
from grm_plugin.testing.host import Host

# the module of each host, its class, and what has to be installed for it
HOSTS = {
    "trl": ("TRLHost", "trl"),
    "openrlhf": ("OpenRLHFHost", "openrlhf.utils.agent"),
    "serving": ("GetRewardHost", "fastapi"),
    "serving groups": ("ScoreHost", "fastapi"),
}


def cases() -> list[Any]:
    found = []
    for name, (kind, needed) in HOSTS.items():
        try:
            importlib.import_module(needed)
        except ImportError:
            skipped = pytest.mark.skip(reason=f"needs {needed}")
            found.append(pytest.param(None, None, id=name, marks=skipped))
            continue
        host = getattr(importlib.import_module(f"tests.adapters.hosts.{name.split()[0]}"), kind)()
        found += [pytest.param(host, one, id=f"{name}-{one.__name__}") for one in claims(host)]
    return found


@pytest.mark.parametrize(("host", "claim"), cases())
def test_an_adapter_keeps_the_contract(host: Host, claim: Claim) -> None:
    claim(host)
