"""Where a group gets what the caller did not give: facts on its responses, and principles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from grm_plugin.engine import Limits
from grm_plugin.errors import SourceError, quoted
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


@dataclass(frozen=True)
class Sources:
    """The sources that a configuration names.

    Args:
        evidence: by name, in the order in which their facts are shown.
        principles: by name; at most one.
    """

    evidence: Mapping[str, EvidenceSource] = field(default_factory=dict)
    principles: Mapping[str, PrincipleSource] = field(default_factory=dict)

    async def start(self) -> None:
        """Start all of them."""
        for source in self._all():
            await source.start()

    async def shown(self, group: Group) -> Group:
        """``group`` as the judge will see it; its own evidence and principles come first.

        Raises:
            SourceError: a source failed, or gave something other than texts; names it.
        """
        texts = [group.evidence] if group.evidence else []
        for name, source in self.evidence.items():
            texts.append(await _facts(name, source, group))
        principles = group.principles
        for name, giver in self.principles.items():
            principles += await _principles(name, giver, group)
        if not texts and principles == group.principles:
            return group
        rows = zip(*texts, strict=True) if texts else ()
        evidence = tuple("\n".join(filter(None, row)) for row in rows)
        return replace(group, evidence=evidence, principles=principles)

    async def close(self) -> None:
        """Close all of them, also when one fails to; the first failure is raised at the end."""
        failed: list[BaseException] = []
        for source in self._all():
            try:
                await source.close()
            except Exception as error:  # whatever it is, the others must still be closed
                failed.append(error)
        if failed:
            raise failed[0]

    def _all(self) -> list[EvidenceSource | PrincipleSource]:
        return [*self.evidence.values(), *self.principles.values()]


async def _facts(name: str, source: EvidenceSource, group: Group) -> tuple[str, ...]:
    try:
        found = await source.facts(group)
    except Exception as error:  # a part that fails costs its group the reward, not the others
        raise SourceError(f"evidence source {name!r} failed: {error!r}") from error
    n = len(group.responses)
    if not _are_texts(found) or len(found) != n:
        raise SourceError(
            f"evidence source {name!r}: expected {n} texts, one for each response, "
            f"got {quoted(found)}"
        )
    return tuple(found)


async def _principles(name: str, source: PrincipleSource, group: Group) -> tuple[str, ...]:
    try:
        found = await source.principles(group)
    except Exception as error:  # as above
        raise SourceError(f"principle source {name!r} failed: {error!r}") from error
    if not _are_texts(found):
        raise SourceError(f"principle source {name!r}: expected texts, got {quoted(found)}")
    return tuple(found)


def _are_texts(found: object) -> bool:
    return isinstance(found, list | tuple) and all(isinstance(text, str) for text in found)
