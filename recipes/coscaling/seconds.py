"""Seconds of a core of a process and of everything that it started."""

from __future__ import annotations

import time

import psutil


class CoreSeconds:
    """Counts from now on for this process, and for processes that it starts from their beginning.

    A process that ended counts with what it had spent when it was last looked at.
    """

    def __init__(self) -> None:
        self._own = time.process_time()
        self._children: dict[tuple[int, float], float] = {}
        self._told = 0.0

    def taken(self) -> float:
        """What was spent since the last call; the first one counts from the start."""
        for child in psutil.Process().children(recursive=True):
            try:
                spent, began = child.cpu_times(), child.create_time()
            except psutil.Error:  # it has just ended
                continue
            self._children[child.pid, began] = spent.user + spent.system
        total = time.process_time() - self._own + sum(self._children.values())
        since, self._told = total - self._told, total
        return since
