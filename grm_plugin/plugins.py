"""The only module that talks to a pluggy manager: it finds plug-ins and keeps their offers."""

from __future__ import annotations

import importlib
import inspect
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import Distribution, entry_points
from typing import Any

import pluggy

from grm_plugin import hookspecs
from grm_plugin.errors import ConfigError, PluginError, unknown
from grm_plugin.types import Group, Verdict

logger = logging.getLogger(__name__)

ENTRY_POINT_GROUP = hookspecs.PROJECT
KINDS = {
    "engine": "grm_register_engines",
    "template": "grm_register_templates",
    "voter": "grm_register_voters",
    "selector": "grm_register_selectors",
    "evidence source": "grm_register_evidence_sources",
    "benchmark": "grm_register_benchmarks",
    "adapter": "grm_register_adapters",
}
HOOKS = (*KINDS.values(), "grm_on_verdict")
_PREFIXES = ("grm_register_", "grm_on_")
BUILT_INS = (
    "grm_plugin.engines",
    "grm_plugin.prompts",
    "grm_plugin.pipeline.voting",
    "grm_plugin.pipeline.selecting",
    "grm_plugin.reference.judge",
)


@dataclass(frozen=True)
class Offer:
    """A part that a plug-in offers: what kind, under which name, and by whom."""

    kind: str
    name: str
    part: Any
    plugin: str


@dataclass(frozen=True)
class Plugin:
    """A module or object with hooks, its name, and the distribution it came with."""

    name: str
    hooks: object
    source: str = "built in"


class Plugins:
    """The plug-ins of this process and what they offer.

    Args:
        plugins: in the order their offers are listed; built-ins come through the same door.

    Raises:
        PluginError: a hook is misspelt, a name is taken, or a registering hook failed. The
            message names the plug-in.
    """

    def __init__(self, plugins: Iterable[Plugin]) -> None:
        self.plugins = tuple(plugins)
        self._pm = pluggy.PluginManager(hookspecs.PROJECT)
        self._pm.add_hookspecs(hookspecs)
        for plugin in self.plugins:
            self._add(plugin)
        self._offers = {kind: self._collect(kind, hook) for kind, hook in KINDS.items()}

    def _add(self, plugin: Plugin) -> None:
        self._check_marked(plugin)
        try:
            self._pm.register(plugin.hooks, plugin.name)
            self._pm.check_pending()
        except (ValueError, pluggy.PluginValidationError) as error:
            problem = " ".join(str(error).split())
            raise PluginError(
                f"plug-in {plugin.name!r} ({plugin.source}): {problem}; "
                f"the hooks are: {', '.join(HOOKS)}"
            ) from error

    def _check_marked(self, plugin: Plugin) -> None:
        """pluggy passes over a function without the mark, and never awaits one with it."""
        for name in dir(plugin.hooks):
            function = getattr(plugin.hooks, name, None)
            if not name.startswith(_PREFIXES) or not inspect.isroutine(function):
                continue
            if self._pm.parse_hookimpl_opts(plugin.hooks, name) is None:
                problem = "lacks @grm_plugin.hookimpl, so it would never be called"
            elif inspect.iscoroutinefunction(function):
                problem = "is async, so it would never be awaited; write a plain function"
            else:
                continue
            raise PluginError(f"plug-in {plugin.name!r} ({plugin.source}): {name} {problem}")

    def _collect(self, kind: str, hook: str) -> dict[str, Offer]:
        offers: dict[str, Offer] = {}
        # pluggy calls the last registered first; offers are taken in order of registration.
        for impl in getattr(self._pm.hook, hook).get_hookimpls():
            register = _registrar(kind, impl.plugin_name, offers)
            try:
                impl.function(*([register] if impl.argnames else []))
            except PluginError:
                raise
            except Exception as error:
                raise PluginError(
                    f"plug-in {impl.plugin_name!r}: {hook} failed: {error!r}"
                ) from error
        return offers

    def get(self, kind: str, name: str) -> Any:
        """The part offered as ``name``.

        Raises:
            ConfigError: nobody offers it; the message lists what is there.
        """
        offer = self._offers[kind].get(name)
        if offer is None:
            raise ConfigError(unknown(kind, name, self._offers[kind]))
        return offer.part

    def offers(self) -> Iterator[Offer]:
        """Every offer of every plug-in, by kind and name."""
        for kind in KINDS:
            yield from sorted(self._offers[kind].values(), key=lambda offer: offer.name)

    def on_verdict(self, group: Group, verdict: Verdict) -> None:
        """Tell every observer; one that fails is logged and never touches a reward."""
        values = {"group": group, "verdict": verdict}
        for impl in self._pm.hook.grm_on_verdict.get_hookimpls():
            try:
                impl.function(*(values[name] for name in impl.argnames))
            except Exception:
                logger.exception("plug-in %r: grm_on_verdict failed", impl.plugin_name)


def _registrar(kind: str, plugin: str, offers: dict[str, Offer]) -> Callable[[str, Any], None]:
    def register(name: str, part: Any) -> None:
        taken = offers.get(name)
        if taken is not None:
            raise PluginError(
                f"two plug-ins offer the {kind} {name!r}: {taken.plugin} and {plugin}; "
                "uninstall one of them or rename its part"
            )
        offers[name] = Offer(kind, name, part, plugin)

    return register


def _announced() -> Iterator[Plugin]:
    for point in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda point: point.name):
        source = _source(point.dist)
        try:
            yield Plugin(point.name, point.load(), source)
        except Exception as error:
            raise PluginError(
                f"plug-in {point.name!r} ({source}) can not be imported: {error!r}; "
                "repair or uninstall it"
            ) from error


def _source(dist: Distribution | None) -> str:
    return f"{dist.name} {dist.version}" if dist else "unknown distribution"


@lru_cache(maxsize=1)
def installed() -> Plugins:
    """The built-ins and every plug-in announced by an entry point, loaded once."""
    built_ins = [Plugin(name, importlib.import_module(name)) for name in BUILT_INS]
    return Plugins([*built_ins, *_announced()])
