"""Every extension point of grm-plugin, and nothing else.

Two kinds only. ``grm_register_*`` OFFERS parts under a name; the configuration picks parts by
name, so installing a plug-in never changes a reward. ``grm_on_*`` OBSERVES frozen values.

A plug-in is a module (or object) whose functions carry ``@grm_plugin.hookimpl``, announced
through the entry-point group ``grm_plugin``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pluggy

if TYPE_CHECKING:
    from grm_plugin.types import Group, Verdict

PROJECT = "grm_plugin"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class Register(Protocol):
    """What a ``grm_register_*`` hook is called with."""

    def __call__(self, name: str, part: Any) -> None:
        """Offer ``part`` under ``name``; a name that is taken is an error at start."""


@hookspec
def grm_register_engines(register: Register) -> None:
    """Offer engines: ``part(options, limits) -> Engine`` (see ``grm_plugin.engines.Engine``)."""


@hookspec
def grm_register_templates(register: Register) -> None:
    """Offer prompt templates: ``part`` is the path of a template file."""


@hookspec
def grm_register_voters(register: Register) -> None:
    """Offer voters: ``part(scores_K_N, scale) -> rewards_N`` (a ``pipeline.voting.Voter``)."""


@hookspec
def grm_register_selectors(register: Register) -> None:
    """Offer selectors: ``part(options, limits) -> grm_plugin.pipeline.selecting.Selector``."""


@hookspec
def grm_register_evidence_sources(register: Register) -> None:
    """Offer evidence sources: ``await part(group) -> N texts``, one fact text per response."""


@hookspec
def grm_register_benchmarks(register: Register) -> None:
    """Offer benchmarks: ``part(**options) -> iterable of grm_plugin.types.Group`` whose metadata
    names the ``best`` response."""


@hookspec
def grm_register_adapters(register: Register) -> None:
    """Offer adapters: ``part`` is the import path of what a trainer is given, for listings."""


@hookspec
def grm_on_verdict(group: Group, verdict: Verdict) -> None:
    """Observe a finished verdict, scored or not; called once per group, in completion order."""
