"""Judge servers of the OpenRLHF launcher that are killed and load again: no group is lost.

They are real processes below real Ray actors; ``test_openrlhf_outages`` has the real trainer, too.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("openrlhf.utils.agent")
pytest.importorskip("ray")


from grm_openrlhf import servers
from grm_openrlhf.options import SERVERS as NAME
from grm_openrlhf.options import Placement
from grm_plugin import GRM, Group
from tests.adapters.openrlhf.conftest import address, joined, with_adapter  # noqa: F401 (fixtures)
from tests.e2e.openrlhf.loading_judge import kill, loading, pids
from tests.faults.conftest import LONG

LOADS_S = 70.0 if LONG else 6.0
GROUPS = [Group.of(f"why {n}?", ["because", "no idea"]) for n in range(200 if LONG else 30)]
ONE = Placement(replicas=1, gpus=0)
# dead after the first group without a reward, and no request may last as long as a start
STRICT = {"k": 2, "tries": 1, "request_timeout_s": 3, "dead_groups": 1, "dead_after_s": 0}


def judge(**settings: Any) -> GRM:
    return GRM(plugins=with_adapter([]), engine={"name": NAME}, **STRICT, **settings)


def test_a_group_waits_for_a_server_that_is_killed_and_takes_long_to_load(joined: Path) -> None:  # noqa: F811
    with servers.running(loading(joined, LOADS_S), ONE, None), judge() as grm:
        before = grm.score(GROUPS[0])
        kill(joined)
        began = time.monotonic()
        after = grm.score(GROUPS[0])
    assert before.rewards == after.rewards is not None
    assert not after.failures
    assert time.monotonic() - began > LOADS_S
    assert len(pids(joined)) == 2


def test_a_server_that_is_killed_while_it_judges_costs_no_group(joined: Path) -> None:  # noqa: F811
    launched = servers.running(loading(joined, load_s=1), ONE, None)
    with launched, judge(max_concurrent_groups=4) as grm:
        found = []
        for verdict in grm.score_many(GROUPS):
            found.append(verdict)
            if len(found) in (5, 20):
                kill(joined)
    assert [one.scored for one in found] == [True] * len(GROUPS)
    assert len(pids(joined)) == 3
