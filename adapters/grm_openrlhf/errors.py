"""What goes wrong between OpenRLHF and the judge."""

from __future__ import annotations

from grm_plugin.errors import GRMError


class SiblingError(GRMError):
    """Another response of the same group failed, so this one can not be judged with it."""


class UnscoredError(GRMError):
    """A run trained on more groups without a reward than it was allowed to."""
