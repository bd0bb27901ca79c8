"""How this command is called from where it was called: the next one is told in the same words."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path


def program() -> str:
    """``grm``, where a shell finds it; else its path, or the module, as it was written."""
    called = Path(sys.argv[0])
    if called.parts[-2:] == ("grm_plugin", "__main__.py"):
        return "python -m grm_plugin"
    if called.name != "grm" or shutil.which("grm") == sys.argv[0]:
        return "grm"
    found = shutil.which("grm")
    return "grm" if found and called.exists() and called.samefile(found) else str(called)
