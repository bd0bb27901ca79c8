"""Where real benchmark data is, for tests that compare with what was published.

The data is no part of this project. Tests that use it skip where it is absent; what they claim is
also claimed of small fixtures of our own making.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

VARIABLE = "GRM_SHARED_DATA"
_BESIDE = Path(__file__).parents[1].parent / "shared" / "data"


def shared_data(name: str) -> Path:
    """The file or folder ``name``; the test that asks for it is skipped where it is absent."""
    folder = Path(os.environ.get(VARIABLE) or _BESIDE)
    found = folder / name
    if not found.exists():
        pytest.skip(f"real data {name} is not in {folder}; {VARIABLE} names its folder")
    return found
