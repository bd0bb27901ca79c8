"""A plug-in: what was given as one, and what its hooks offer and observe, as pluggy sees them."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import pluggy

from grm_plugin.errors import PluginError, quoted
from grm_plugin.kinds import KINDS
from grm_plugin.types import Verdict

_PREFIXES = ("grm_register_", "grm_on_")
_GIVEN = "given in process"


@dataclass(frozen=True)
class Offer:
    """A part that a plug-in offers: what kind, under which name, and by whom."""

    kind: str
    name: str
    part: Any
    plugin: str


@dataclass(frozen=True)
class Plugin:
    """A module or object with hooks, its name, and the distribution it came with.

    ``announced`` plug-ins are there without anybody having asked for them: a broken one is an
    error only for those who ask for what it might have offered.
    """

    name: str
    hooks: object
    source: str = "built in"
    announced: bool = False


@dataclass(frozen=True)
class Broken:
    """An announced plug-in that can not be used, and why."""

    name: str
    source: str
    problem: str


def check_marked(manager: pluggy.PluginManager, plugin: Plugin) -> None:
    """Refuse hooks that pluggy would pass over, for lack of the mark, or never await.

    Raises:
        PluginError: names the hook.
    """
    for name in dir(plugin.hooks):
        function = getattr(plugin.hooks, name, None)
        if not name.startswith(_PREFIXES) or not inspect.isroutine(function):
            continue
        if manager.parse_hookimpl_opts(plugin.hooks, name) is None:
            problem = "lacks @grm_plugin.hookimpl, so it would never be called"
        elif inspect.iscoroutinefunction(function):
            problem = "is async, so it would never be awaited; write a plain function"
        else:
            continue
        raise broken(plugin, f"{name} {problem}")


def collect(manager: pluggy.PluginManager, plugin: Plugin) -> Iterator[Offer]:
    """What a registered plug-in offers.

    Raises:
        PluginError: a hook failed.
    """
    for kind in KINDS.values():
        for impl in getattr(manager.hook, kind.hook).get_hookimpls():
            if impl.plugin is plugin.hooks:
                yield from _offered(kind.name, kind.hook, plugin, impl)


def _offered(kind: str, hook: str, plugin: Plugin, impl: pluggy.HookImpl) -> Iterator[Offer]:
    offers: list[Offer] = []

    def register(name: str, part: Any) -> None:
        offers.append(Offer(kind, name, part, plugin.name))

    try:
        impl.function(*([register] if impl.argnames else []))
    except (Exception, SystemExit) as error:
        raise broken(plugin, f"{hook} failed: {error!r}") from error
    return iter(offers)


def teller(impl: pluggy.HookImpl) -> Callable[[Verdict], object]:
    """How an observer is told of a verdict: with the arguments that it asks for."""

    def tell(verdict: Verdict) -> object:
        values = {"group": verdict.group, "verdict": verdict}
        return impl.function(*(values[name] for name in impl.argnames))

    return tell


def broken(plugin: Plugin, problem: str) -> PluginError:
    """The error for a plug-in that can not be used."""
    return PluginError(f"plug-in {plugin.name!r} ({plugin.source}): {problem}")


def several(plugins: object) -> list[object]:
    """What was given, which may be one module, its name, or one object."""
    if plugins is None:
        return []
    if isinstance(plugins, Iterable) and not isinstance(plugins, str):
        return [*plugins]
    return [plugins]


def again(plugin: Plugin) -> object:
    """What can be pickled and given again: a module by its name."""
    hooks = plugin.hooks.__name__ if isinstance(plugin.hooks, ModuleType) else plugin.hooks
    return hooks if plugin.source == _GIVEN else replace(plugin, hooks=hooks)


def of_given(hooks: object) -> Plugin:
    """The plug-in of a module, its import name, or an object with hooks.

    Raises:
        PluginError: there is no such module, or it has no hook.
    """
    if isinstance(hooks, Plugin):
        named = isinstance(hooks.hooks, str)
        return replace(hooks, hooks=_imported(str(hooks.hooks))) if named else hooks
    if isinstance(hooks, str):
        hooks = _imported(hooks)
    own = hooks.__name__ if isinstance(hooks, ModuleType) else type(hooks).__qualname__
    if not any(name.startswith("grm_") for name in dir(hooks)):
        raise PluginError(
            f"plug-in {quoted(own)} has no hook: expected functions such as "
            "grm_register_engines or grm_on_verdict, marked with hookimpl"
        )
    return Plugin(f"{own} at {id(hooks):#x}", hooks, _GIVEN)


def _imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise PluginError(
            f"plug-in {quoted(name)} can not be imported: {error}; expected a module or its "
            "import name"
        ) from error
