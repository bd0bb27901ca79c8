"""What `grm train scalar` leaves of a training that was made up."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path


def a_training(folder: Path, losses: Sequence[float], ended: str) -> None:
    """A scalar RM's report and log, with a look at held-out pairs every 100 steps."""
    folder.mkdir(parents=True)
    steps = 100 * len(losses)
    training = {"steps": steps, "ended": ended, "seconds": 9.0, "held_out_loss": min(losses)}
    accuracy = {"value": 0.8, "low": 0.7, "high": 0.9}
    report = {"training": training, "validation": {"accuracy": accuracy}}
    (folder / "report.json").write_text(json.dumps(report))
    rows = [{"step": 100 * (n + 1), "eval_loss": loss} for n, loss in enumerate(losses)]
    (folder / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
