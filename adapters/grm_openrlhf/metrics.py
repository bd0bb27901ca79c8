"""What the adapter logs beside the numbers of a verdict."""

from __future__ import annotations

from grm_plugin.hosts.described import Described

WAIT = Described(
    "wait_seconds",
    "seconds",
    "0 or more",
    "from the last token of a group to its rewards: judging, and the wait for a place or for a "
    "judge that is away",
)
