"""Every extension point of grm-plugin, and nothing else.

Two kinds only. ``grm_register_*`` OFFERS parts under a name; the configuration picks parts by
name, so installing a plug-in never changes a reward. ``grm_on_*`` OBSERVES frozen values.

A plug-in is a module (or object) whose functions carry ``@grm_plugin.hookimpl``, announced
through the entry-point group ``grm_plugin``. All parts have one shape, ``factory(options,
limits)``; only a template is a path, and an adapter an :class:`Adapter`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import pluggy

from grm_plugin.engine import EngineFactory, Limits
from grm_plugin.options import Options

if TYPE_CHECKING:
    from grm_plugin.classifiers import ClassifierFactory
    from grm_plugin.contracts.contract import ContractFactory
    from grm_plugin.pipeline.selecting import SelectorFactory
    from grm_plugin.pipeline.sources import EvidenceSourceFactory, PrincipleSourceFactory
    from grm_plugin.pipeline.voting import VoterFactory
    from grm_plugin.types import Group, Verdict

PROJECT = "grm_plugin"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

PartT = TypeVar("PartT", contravariant=True)
MadeT = TypeVar("MadeT", covariant=True)


class Register(Protocol[PartT]):
    """What a ``grm_register_*`` hook is called with."""

    def __call__(self, name: str, part: PartT) -> None:
        """Offer ``part`` under ``name``; a name that is taken matters when it is asked for."""


class Factory(Protocol[MadeT]):
    """What most hooks offer."""

    def __call__(self, options: Mapping[str, Any], limits: Limits) -> MadeT:
        """The part, not started yet; wrong options raise ConfigError."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """What ``grm_register_adapters`` offers.

    Args:
        part: the import path of what a trainer is given, such as ``grm_trl.GRMReward``.
        options: the model of the section ``adapters: {name: ...}``, so that a typo in it is an
            error when the configuration is read.
    """

    part: str
    options: type[Options] = Options


@hookspec
def grm_register_engines(register: Register[EngineFactory]) -> None:
    """Offer engines: ``part(options, limits) -> grm_plugin.engine.Engine``."""


@hookspec
def grm_register_classifiers(register: Register[ClassifierFactory]) -> None:
    """Offer where a meta RM runs: ``part(options, limits) -> grm_plugin.classifiers.Classifier``,
    named by ``classifier: {name: ...}``."""


@hookspec
def grm_register_templates(register: Register[Path | str]) -> None:
    """Offer prompt templates: ``part`` is the path of a template file."""


@hookspec
def grm_register_contracts(register: Register[ContractFactory]) -> None:
    """Offer contracts, each a form in which a judge answers: ``part(options, limits) ->
    grm_plugin.contracts.contract.Contract``."""


@hookspec
def grm_register_voters(register: Register[VoterFactory]) -> None:
    """Offer voters: ``part(options, limits) -> voter``, and ``voter(scores_K_N, scale) ->
    rewards_N`` (a ``grm_plugin.pipeline.voting.Voter``)."""


@hookspec
def grm_register_selectors(register: Register[SelectorFactory]) -> None:
    """Offer selectors: ``part(options, limits) -> grm_plugin.pipeline.selecting.Selector``."""


@hookspec
def grm_register_stoppers(register: Register[Factory[Any]]) -> None:
    """Offer stoppers, which say when more samples would not change the outcome:
    ``part(options, limits) -> grm_plugin.pipeline.stopping.Stopper``."""


@hookspec
def grm_register_evidence_sources(register: Register[EvidenceSourceFactory]) -> None:
    """Offer evidence sources: ``part(options, limits) -> source``, and ``await
    source.facts(group) -> N texts`` (a ``grm_plugin.pipeline.sources.EvidenceSource``)."""


@hookspec
def grm_register_principle_sources(register: Register[PrincipleSourceFactory]) -> None:
    """Offer principle sources: ``part(options, limits) -> source``, and ``await
    source.principles(group) -> texts`` (a ``grm_plugin.pipeline.sources.PrincipleSource``)."""


@hookspec
def grm_register_benchmarks(register: Register[Factory[Iterable[Group]]]) -> None:
    """Offer benchmarks: ``part(options, limits) -> benchmark``, an iterable of
    ``grm_plugin.types.Group`` whose metadata holds what is known of them (``best``, ``correct`` or
    ``ratings``). One with ``figures(items)`` has scores of its own (a
    ``grm_plugin.evaluation.benchmarks.benchmark.Benchmark``)."""


@hookspec
def grm_register_adapters(register: Register[Adapter]) -> None:
    """Offer adapters: ``part`` is a ``grm_plugin.hookspecs.Adapter``, with the import path of what
    a trainer is given and the model of the adapter's options."""


@hookspec
def grm_on_verdict(group: Group, verdict: Verdict) -> None:
    """Observe a finished verdict, scored or not; called once per group, in completion order, in a
    thread of the observers' own."""
