"""Where a group gets what the caller did not give: facts on its responses, and principles."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from grm_plugin.engine import Limits
from grm_plugin.errors import GRMError, PluginError, SourceError, quoted
from grm_plugin.running import guarded
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
        evidence: each with its name, in the order in which their facts are shown; two may have
            one name.
        principles: by name; at most one.
    """

    evidence: Sequence[tuple[str, EvidenceSource]] = ()
    principles: Mapping[str, PrincipleSource] = field(default_factory=dict)

    def parts(self) -> Iterator[tuple[str, EvidenceSource | PrincipleSource]]:
        """All of them, by what messages call them."""
        seen: Counter[str] = Counter()
        for name, source in self.evidence:
            seen[name] += 1
            again = f" (number {seen[name]} of that name)" if seen[name] > 1 else ""
            yield _evidence(name) + again, source
        for name, giver in self.principles.items():
            yield _giver(name), giver

    async def shown(self, group: Group, deadline: float = math.inf) -> Group:
        """``group`` as the judge will see it; its own evidence and principles come first.

        Args:
            group: as it was asked.
            deadline: ``time.monotonic()`` by which all of them must have answered.

        Raises:
            SourceError: a source failed, or gave something other than texts; names it.
        """
        texts = [group.evidence] if group.evidence else []
        for name, source in self.evidence:
            texts.append(await _facts(_evidence(name), source, group, deadline))
        principles = group.principles
        for name, giver in self.principles.items():
            principles += await _principles(_giver(name), giver, group, deadline)
        if not texts and principles == group.principles:
            return group
        rows = zip(*texts, strict=True) if texts else ()
        evidence = tuple("\n".join(filter(None, row)) for row in rows)
        return replace(group, evidence=evidence, principles=principles)


def _evidence(name: str) -> str:
    return f"evidence source {name!r}"


def _giver(name: str) -> str:
    return f"principle source {name!r}"


async def _facts(
    owner: str, source: EvidenceSource, group: Group, deadline: float
) -> tuple[str, ...]:
    found = await _answer(owner, source.facts, group, deadline)
    n = len(group.responses)
    if not _are_texts(found) or len(found) != n:
        raise SourceError(
            f"{owner}: expected {n} texts, one for each response, got {quoted(found)}"
        )
    return tuple(found)


async def _principles(
    owner: str, source: PrincipleSource, group: Group, deadline: float
) -> tuple[str, ...]:
    found = await _answer(owner, source.principles, group, deadline)
    if not _are_texts(found):
        raise SourceError(f"{owner}: expected texts, got {quoted(found)}")
    return tuple(found)


async def _answer(
    owner: str, ask: Callable[[Group], Awaitable[Any]], group: Group, deadline: float
) -> Any:
    try:
        return await guarded.call(owner, ask, group, deadline=deadline)
    except PluginError as error:
        raise SourceError(str(error)) from error
    except GRMError as error:  # whatever it says, the group is not to blame
        raise SourceError(f"{owner} failed: {error}") from error


def _are_texts(found: object) -> bool:
    return isinstance(found, list | tuple) and all(isinstance(text, str) for text in found)
