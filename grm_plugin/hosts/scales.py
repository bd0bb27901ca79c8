"""Whether rewards of a judge are on one scale, so that they may be compared across groups."""

from __future__ import annotations

from grm_plugin.config import GRMConfig


def told_of_two_scales(config: GRMConfig, setting: str, instead: str) -> str:
    """Why a trainer had better compare rewards within groups alone; empty where it need not.

    Args:
        config: the settings.
        setting: of the trainer, that compares them across groups.
        instead: what to set.
    """
    if config.scalar is None or config.scalar.use != "cascade":
        return ""
    return (
        f"{setting} weighs groups against each other, and scalar: use: cascade gives rewards on "
        f"two scales, the scalar RM's and the judge's: what the scalar RM decides would weigh "
        f"several times as much; set {instead}"
    )
