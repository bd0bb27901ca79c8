"""Which browser the tests use."""

from __future__ import annotations

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
VARIABLE = "GRM_TEST_BROWSER"
HOW = (
    "install Chromium or Chrome (Debian and Ubuntu: apt-get install chromium, as root), or name "
    f"its program in {VARIABLE}"
)


def found() -> str | None:
    """The program of a browser; None where there is none."""
    return os.environ.get(VARIABLE) or next(filter(None, map(shutil.which, NAMES)), None)
