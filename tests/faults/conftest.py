"""How long the stress goes on: a quick form everywhere, a long one with ``FAULTS=long``."""

from __future__ import annotations

import os

LONG = os.environ.get("FAULTS") == "long"
