"""A training script needs no last line: the judge ends with it, and quietly."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SCRIPT = """
from grm_trl import GRMReward
reward = GRMReward(engine="reference", k=2)
prompt = "Write a list of words: use exactly 2 items."
rewards = reward([prompt] * 2, ["sunrise, teapot", "sunrise"])
print(len(rewards))
"""


@pytest.mark.parametrize(
    ("last_line", "code", "said"),
    [("", 0, ""), ("raise SystemExit('the loss is NaN')", 1, "the loss is NaN\n")],
)
def test_a_script_that_never_closes_its_reward_ends_quietly(
    last_line: str, code: int, said: str
) -> None:
    path = os.pathsep.join(map(str, (ROOT, ROOT / "adapters")))
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT + last_line],
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("2\n", said, code)
