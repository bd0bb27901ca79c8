"""What goes wrong between TRL and the judge."""

from __future__ import annotations

from grm_plugin.errors import GRMError


class RankError(GRMError):
    """The reward failed on some rank; every rank raises this, naming that rank and its error."""


class UnscoredError(GRMError):
    """A group has no verdict, and the reward was told to stop then."""
