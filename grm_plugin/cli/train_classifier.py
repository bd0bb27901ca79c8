"""What commands that train a classifier of one logit do alike, from the folder to the report."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from grm_plugin.cli.progress import Meter
from grm_plugin.errors import ConfigError
from grm_plugin.report.terminal import say
from grm_plugin.running.whole_file import as_json, writing
from grm_plugin.spct.classifier_settings import ClassifierTraining, Trained

_REPORT = "report.json"
Tell = Callable[[int, int, float], None]
"""Called with the step, the number of steps, and the mean loss since the last call (nats)."""


T = TypeVar("T", bound=Trained)


def check_not_done(folder: Path, what: str) -> None:
    """Refuse a folder whose ``what``, such as a meta RM, has its report.

    Raises:
        ConfigError: there is one.
    """
    if (folder / _REPORT).exists():
        raise ConfigError(f"{folder} holds a {what} that is done; choose another folder")


def trained(train: Callable[[Tell], T]) -> T:
    """How a training ended, which is shown while it goes on and told at its end."""
    with Meter(None, "steps", state="loading") as meter:

        def tell(step: int, steps: int, loss: float) -> None:
            meter.show(step, f"of {steps}, loss {loss:.4f}")

        found = train(tell)
    say(f"{found.steps} steps in {found.seconds:.0f} s, loss {found.loss:.4f}")
    return found


def write_report(
    settings: ClassifierTraining, found: Trained, validation: dict[str, Any] | None, **more: Any
) -> None:
    """Write down what was trained and what it knows, by which it is done.

    Args:
        settings: of the training.
        found: how it ended.
        validation: figures of held-out groups; None: there are none.
        more: what else is told.
    """
    asked = json.loads(json.dumps(asdict(settings), default=str))
    told = {**asked, **asdict(found)}
    values = {"training": told, **more, "validation": validation}
    write_json(settings.folder / _REPORT, values)


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write ``value`` whole, for people to read, too."""
    with writing(path) as file:
        file.write(as_json(value, indent=2) + "\n")
