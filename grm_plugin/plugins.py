"""The only module that has a pluggy manager: it finds plug-ins and keeps their offers."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from importlib.metadata import Distribution, EntryPoint, entry_points
from typing import Any

import pluggy

from grm_plugin import hookspecs
from grm_plugin.classifiers import named
from grm_plugin.engine import Limits
from grm_plugin.errors import ConfigError, PluginError, unknown
from grm_plugin.kinds import KINDS
from grm_plugin.options import read_options
from grm_plugin.plugin import (
    Broken,
    Offer,
    Plugin,
    again,
    broken,
    check_marked,
    collect,
    of_given,
    several,
    teller,
)
from grm_plugin.types import Verdict

__all__ = ["Broken", "Offer", "Plugin", "Plugins", "chosen", "installed"]

logger = logging.getLogger(__name__)

ENTRY_POINT_GROUP = hookspecs.PROJECT
HOOKS = (*(kind.hook for kind in KINDS.values()), "grm_on_verdict")
BUILT_INS = (
    "grm_plugin.engines",
    "grm_plugin.classifiers",
    "grm_plugin.prompts",
    "grm_plugin.contracts",
    "grm_plugin.pipeline.voting",
    "grm_plugin.pipeline.selectors",
    "grm_plugin.pipeline.stopping",
    "grm_plugin.evaluation.benchmarks",
    "grm_plugin.reference.judge",
    "grm_plugin.reference.reward_models",
)


class Plugins:
    """The plug-ins of this process and what they offer.

    Args:
        plugins: in the order their offers are listed; built-ins come through the same door.
        unusable: plug-ins that could not even be imported.

    Raises:
        PluginError: a plug-in that was given is broken: a hook is misspelt, or a registering hook
            failed. The message names it. An announced one is put among the ``broken`` instead.
    """

    def __init__(self, plugins: Iterable[Plugin], unusable: Iterable[Broken] = ()) -> None:
        self._pm = pluggy.PluginManager(hookspecs.PROJECT)
        self._pm.add_hookspecs(hookspecs)
        self._offers: dict[str, dict[str, list[Offer]]] = {kind: {} for kind in KINDS}
        found, failed = [], [*unusable]
        for plugin in plugins:
            try:
                self._add(plugin)
                found.append(plugin)
            except PluginError as error:
                if not plugin.announced:
                    raise
                failed.append(Broken(plugin.name, plugin.source, str(error)))
        self.plugins, self.broken = tuple(found), tuple(failed)

    @property
    def given(self) -> tuple[object, ...]:
        """What is not installed, as it can be pickled and given again: modules by name."""
        there = {(one.name, one.source) for one in installed().plugins}
        mine = (one for one in self.plugins if (one.name, one.source) not in there)
        return tuple(again(one) for one in mine)

    def _add(self, plugin: Plugin) -> None:
        check_marked(self._pm, plugin)
        try:
            self._pm.register(plugin.hooks, plugin.name)
            self._pm.check_pending()
            offers = list(collect(self._pm, plugin))
        except (ValueError, pluggy.PluginValidationError) as error:
            self._forget(plugin)
            problem = " ".join(str(error).split())
            raise broken(plugin, f"{problem}; the hooks are: {', '.join(HOOKS)}") from error
        except PluginError:
            self._forget(plugin)
            raise
        for offer in offers:
            self._offers[offer.kind].setdefault(offer.name, []).append(offer)

    def _forget(self, plugin: Plugin) -> None:
        if self._pm.get_plugin(plugin.name) is plugin.hooks:
            self._pm.unregister(name=plugin.name)

    def get(self, kind: str, name: str) -> Any:
        """The part offered as ``name``, as it was offered.

        Raises:
            ConfigError: nobody offers it; the message lists what is there, and what is broken.
            PluginError: two plug-ins offer it.
        """
        offers = self._offers[kind].get(name, [])
        if not offers:
            raise ConfigError(unknown(kind, name, self._offers[kind]) + self._suspects())
        if len(offers) > 1:
            raise PluginError(
                f"two plug-ins offer the {kind} {name!r}: {offers[0].plugin} and "
                f"{offers[1].plugin}; uninstall one of them or rename its part"
            )
        return offers[0].part

    def source(self, kind: str, name: str) -> str:
        """Where the part ``name`` comes from: a distribution with its version; empty: nowhere."""
        offers = self._offers[kind].get(name, [])
        by = {offer.plugin for offer in offers}
        return ", ".join(one.source for one in self.plugins if one.name in by)

    def _suspects(self) -> str:
        if not self.broken:
            return ""
        causes = "; ".join(f"{one.name!r} ({one.source}): {one.problem}" for one in self.broken)
        return f"; it may be offered by a plug-in that is broken: {causes}"

    def make(self, kind: str, name: str, options: Mapping[str, Any], limits: Limits) -> Any:
        """The part ``name`` with its options, not started yet.

        The option ``classifier`` of a selector names a classifier, which is made first.

        Raises:
            ConfigError: nobody offers it, or it does not take the options.
            PluginError: two plug-ins offer it, or what is offered is no factory of its kind.
        """
        classifier = options.get("classifier") if kind == "selector" else None
        if isinstance(classifier, Mapping):
            made = self.make("classifier", *named(classifier), limits)
            options = {**options, "classifier": made}
        return KINDS[kind].make(name, self.get(kind, name), options, limits)

    def check_adapters(self, sections: Mapping[str, Mapping[str, Any]]) -> None:
        """Refuse a section of an adapter that is not there, and options that it does not have.

        Raises:
            ConfigError: names the section, the key, what was expected and what came.
            PluginError: what is offered is no adapter.
        """
        for name, options in sections.items():
            offered = self.get("adapter", name)
            if not isinstance(offered, hookspecs.Adapter):
                raise PluginError(
                    f"adapter {name!r}: expected grm_plugin.hookspecs.Adapter(part, options), "
                    f"got {offered!r}"
                )
            read_options(offered.options, f"adapter {name!r}", options)

    def offers(self) -> Iterator[Offer]:
        """Every offer of every plug-in, by kind and name."""
        for kind in KINDS:
            for _, offers in sorted(self._offers[kind].items()):
                yield from sorted(offers, key=lambda offer: offer.plugin)

    def observers(self) -> list[tuple[str, Callable[[Verdict], object]]]:
        """Who observes verdicts: the plug-in's name and what it is told with."""
        impls = self._pm.hook.grm_on_verdict.get_hookimpls()
        return [(impl.plugin_name, teller(impl)) for impl in impls]


def chosen(plugins: Plugins | Iterable[object] | object | None) -> Plugins:
    """The plug-ins of a judge: those installed, and modules or objects with hooks beside them.

    A module may be given by its import name, and one alone without a list. Plugins are taken as
    they are. A plug-in that is given goes before one of its name that is installed.

    Raises:
        PluginError: what was given is broken.
    """
    if isinstance(plugins, Plugins):
        return plugins
    there, given = installed(), several(plugins)
    if not given:
        return there
    mine = [of_given(one) for one in given]
    names = {one.name for one in mine}
    rest = (one for one in there.plugins if one.name not in names)
    return Plugins([*rest, *mine], there.broken)


def _announced() -> Iterator[Plugin | Broken]:
    for point in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda point: point.name):
        yield _loaded(point)


def _loaded(point: EntryPoint) -> Plugin | Broken:
    source = _source(point.dist)
    try:
        return Plugin(point.name, point.load(), source, announced=True)
    except (Exception, SystemExit) as error:
        return Broken(point.name, source, f"can not be imported: {error!r}; repair or uninstall it")


def _source(dist: Distribution | None) -> str:
    return f"{dist.name} {dist.version}" if dist else "unknown distribution"


@lru_cache(maxsize=1)
def installed() -> Plugins:
    """The built-ins and every plug-in announced by an entry point, loaded once.

    One warning names those that are broken; ``grm plugins`` says why.
    """
    built_ins = [Plugin(name, importlib.import_module(name)) for name in BUILT_INS]
    announced = list(_announced())
    found = Plugins(
        [*built_ins, *(one for one in announced if isinstance(one, Plugin))],
        [one for one in announced if isinstance(one, Broken)],
    )
    if found.broken:
        names = ", ".join(f"{one.name!r} ({one.source})" for one in found.broken)
        logger.warning("broken plug-ins, which offer nothing: %s; `grm plugins` says why", names)
    return found
