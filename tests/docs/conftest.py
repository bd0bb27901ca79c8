from pathlib import Path

import pytest

from grm_plugin import GRM, Group
from grm_plugin.testing import scripted


@pytest.fixture(scope="session")
def recorded_verdicts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record of two groups at k = 4, as the how-to pages expect one."""
    path = tmp_path_factory.mktemp("docs") / "verdicts.jsonl"
    judge = scripted([r"\boxed{9, 3}", r"\boxed{2, 8}"])
    with GRM(plugins=judge, engine="scripted", k=4, record=path) as grm:
        grm.score_batch([Group.of(f"question {n}", ["4", "5"], id=str(n)) for n in range(2)])
    return path
