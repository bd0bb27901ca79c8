"""What ``grm eval`` leaves behind: a folder of records, with all that was measured on them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from grm_plugin.errors import InputError, quoted
from grm_plugin.evaluation.gains import AtK, Gained, Gains
from grm_plugin.evaluation.items import Item
from grm_plugin.types import digest

VERSION = 1
RECORD, GREEDY_RECORD = "verdicts.jsonl", "greedy.jsonl"
REVOTED_RECORD = "revoted.jsonl"
"""Verdicts of a record whose judgments voted again; it can be made anew at no cost."""
FIGURES, PAGE = "eval.json", "index.html"


def data_of(items: Iterable[Item]) -> dict[str, Any]:
    """How many groups there are, and a hex digest of them and what is known of them.

    It does not depend on their order.
    """
    known = sorted(f"{one.fingerprint} {one.truth}" for one in items)
    return {"groups": len(known), "fingerprint": digest("\n".join(known))}


def told(gains: Gains, k: int) -> dict[str, Any]:
    """Figures and gains as JSON has them."""
    one = next((point for point in gains.curve if point.k == 1), None)
    return {
        "k": k,
        "figures": _tree(gains.top),
        "curve": [_point(point, one) for point in gains.curve],
    }


def _tree(gained: Gained) -> dict[str, Any]:
    found = gained.measured.told()
    found["over"] = {name: asdict(one) for name, one in gained.over.items()}
    found["parts"] = [_tree(part) for part in gained.parts]
    return found


def _point(point: AtK, one: AtK | None) -> dict[str, Any]:
    return {
        "k": point.k,
        **asdict(point.value),
        "over": {name: asdict(found) for name, found in point.over.items()},
        "cost": asdict(point.cost),
        "tokens_per_group": point.tokens,
        "per_point": point.per_point(one) if one and point is not one else {},
    }


def read_figures(folder: Path) -> dict[str, Any] | None:
    """What ``grm eval`` measured in ``folder``; None where it did not come to that yet.

    Raises:
        InputError: the file is not one of ours, or of another version.
    """
    path = folder / FIGURES
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path} can not be read: {error}; the verdicts beside it stand, and the same "
            "`grm eval` writes it anew"
        ) from error
    if not isinstance(found, Mapping) or found.get("version") != VERSION:
        version = found.get("version") if isinstance(found, Mapping) else found
        raise InputError(f"{path}: expected figures of version {VERSION}, got {quoted(version)}")
    if not isinstance(source := found.get("benchmark", {}), Mapping):
        raise InputError(f"{path}: benchmark: expected an object, got {quoted(source)}")
    return dict(found)
