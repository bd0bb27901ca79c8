"""How a scalar RM is refreshed while a training goes on."""

from __future__ import annotations

from dataclasses import dataclass

from grm_plugin.spct.scalar_settings import ScalarTraining


@dataclass(frozen=True)
class Refreshing(ScalarTraining):
    """Everything that decides the versions of a scalar RM, together with the record.

    ``epochs`` are passes over the groups of one version; ``patience`` and ``warmup`` do not matter.

    Args:
        every: new groups of a version, at least; those that came while the last one was trained
            are taken together.
        replay: share of older groups among those that a version is trained on, 0..1, below 1.
        remember: how many of the newest groups can be replayed.
        validation: share of conversations that are never trained on: they say how good a version
            is, and what its logits mean.
        keep: how many versions there are at a time.
        idle_s: seconds without a new verdict after which the record's writer is taken for gone.
        poll_s: seconds between looks at the record.
    """

    PASSING = ScalarTraining.PASSING | {"keep", "idle_s", "poll_s"}

    every: int = 64
    replay: float = 0.5
    remember: int = 20_000
    validation: float = 0.1
    keep: int = 3
    idle_s: float = 3600.0
    poll_s: float = 2.0
