"""Where a group gets what the caller did not give: facts on its responses, and principles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from grm_plugin.engine import Limits
from grm_plugin.types import Group


class EvidenceSource(Protocol):
    """Finds a fact on each response, say whether its code runs. Used on one event loop."""

    async def start(self) -> None:
        """Make ready; called once before the first group."""

    async def facts(self, group: Group) -> Sequence[str]:
        """One text per response, in the group's order; an empty one says nothing."""

    async def close(self) -> None:
        """Free what ``start`` took; may be called twice."""


class PrincipleSource(Protocol):
    """Says by which principles a group is judged. Used on one event loop."""

    async def start(self) -> None:
        """Make ready; called once before the first group."""

    async def principles(self, group: Group) -> tuple[str, ...]:
        """The principles, most important first; none leaves them to the judge."""

    async def close(self) -> None:
        """Free what ``start`` took; may be called twice."""


class EvidenceSourceFactory(Protocol):
    """What ``grm_register_evidence_sources`` offers."""

    def __call__(self, options: Mapping[str, Any], limits: Limits) -> EvidenceSource:
        """A source that is not started yet; wrong options raise ConfigError."""


class PrincipleSourceFactory(Protocol):
    """What ``grm_register_principle_sources`` offers."""

    def __call__(self, options: Mapping[str, Any], limits: Limits) -> PrincipleSource:
        """A source that is not started yet; wrong options raise ConfigError."""
