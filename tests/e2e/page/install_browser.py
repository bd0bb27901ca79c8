"""Install what drives a browser, and see that there is one. Usage: ``python -m``, as ``make`` does.

The tests of this folder look at pages in Chromium or Chrome, without a window. The library that
drives it comes from the package index; the browser comes from the system.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from tests.e2e.page.browsers import HOW, found


def main(constraints: str) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--constraint", constraints]
    subprocess.run([*pip, "playwright>=1.50"], check=True)
    if not found() and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update", "--quiet"], check=True)
        subprocess.run(["apt-get", "install", "--yes", "--quiet", "chromium"], check=True)
    if not found():
        sys.exit(f"there is no browser: {HOW}")


if __name__ == "__main__":
    main(sys.argv[1])
