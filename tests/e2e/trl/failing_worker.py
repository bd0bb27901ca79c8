"""One rank: the reward of a batch for every way in which a part can fail, one after the other."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from grm_plugin.errors import GRMError
from grm_trl import GRMReward
from tests.plugins import failing_parts

SOON = {"group_timeout_s": 1.5, "batch_timeout_s": 1.5}


def outcome(kind: str, how: str, when: str, rows: list[list[str]]) -> dict[str, Any]:
    """What this rank gets for its rows, or the error; and how long it took, closing included."""
    failing_parts.RELEASED.clear()
    settings = failing_parts.settings(kind, how=how, when=when)
    reward = GRMReward(plugins=[failing_parts], **settings, **SOON)
    started, found = time.monotonic(), {"kind": kind, "how": how, "when": when}
    try:
        prompts, completions = [row[0] for row in rows], [row[1] for row in rows]
        found["rewards"] = reward(prompts=prompts, completions=completions)
        reward.close()
    except GRMError as error:
        found["error"] = f"{type(error).__name__}: {error}"
    found["seconds"] = time.monotonic() - started
    failing_parts.RELEASED.set()
    return found


if __name__ == "__main__":
    torch.set_num_threads(1)
    folder, rank = Path(sys.argv[2]), int(os.environ["RANK"])
    dist.init_process_group("gloo")
    work = json.loads((folder / "cases.json").read_text())
    seen = [outcome(*case, work["rows_by_rank"][rank]) for case in work["cases"]]
    (folder / f"seen{rank}.json").write_text(json.dumps(seen))
    dist.destroy_process_group()
