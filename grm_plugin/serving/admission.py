"""How many groups may be in the server at a time."""

from __future__ import annotations

from grm_plugin.serving.errors import Busy


class Admission:
    """Counts groups from the first response to the last answer; a full one refuses, never waits.

    Args:
        size: most groups at a time.
    """

    def __init__(self, size: int) -> None:
        self.size, self.taken = size, 0

    def admit(self, groups: int = 1) -> None:
        """Let ``groups`` in.

        Raises:
            Busy: there is no room for all of them.
        """
        if self.taken + groups > self.size:
            raise Busy(
                f"no room for {groups} more groups: {self.taken} of at most {self.size} are in; "
                "ask again later, or raise queue"
            )
        self.taken += groups

    def release(self, groups: int = 1) -> None:
        """``groups`` have left."""
        self.taken -= groups
