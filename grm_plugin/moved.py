"""Old names of public modules: importing one is an error that says the new name.

A finder at the end of ``sys.meta_path`` is asked only for modules that nobody else finds, so names
that exist cost nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

MOVED = {
    "grm_plugin.at_exit": "grm_plugin.running.at_exit",
    "grm_plugin.breaker": "grm_plugin.running.breaker",
    "grm_plugin.engines.engine": "grm_plugin.engine",
    "grm_plugin.failure": "grm_plugin.hosts.fallback",
    "grm_plugin.loop": "grm_plugin.running.loop",
    "grm_plugin.messages": "grm_plugin.hosts.messages",
    "grm_plugin.metrics": "grm_plugin.hosts.counting",
    "grm_plugin.parsing": "grm_plugin.contracts.boxed",
    "grm_plugin.planning": "grm_plugin.pipeline.planning",
    "grm_plugin.remote.launch": "grm_plugin.remote.launching.launch",
    "grm_plugin.remote.refusals": "grm_plugin.remote.refusing.refusals",
    "grm_plugin.remote.sharing": "grm_plugin.remote.launching.sharing",
    "grm_plugin.rows": "grm_plugin.hosts.rows",
    "grm_plugin.scorer": "grm_plugin.pipeline.scorer",
    "grm_plugin.selecting": "grm_plugin.pipeline.selecting",
    "grm_plugin.stream": "grm_plugin.running.stream",
    "grm_plugin.voting": "grm_plugin.pipeline.voting",
}


class _Moved(MetaPathFinder):
    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name in MOVED:
            raise ModuleNotFoundError(f"{name} is {MOVED[name]} now", name=name)
        return None


def refuse_old_names() -> None:
    """Tell whoever imports an old name what it is called now."""
    if not any(isinstance(finder, _Moved) for finder in sys.meta_path):
        sys.meta_path.append(_Moved())


def refuse_old_name(name: str, old: str, new: str, moved: Sequence[str]) -> AttributeError:
    """The error of a module's ``__getattr__`` for ``name``; ``moved`` names went to ``new``.

    Raises:
        ImportError: it is one of them.
    """
    if name in moved:
        raise ImportError(f"{old}.{name} is {new}.{name} now")
    return AttributeError(f"module {old!r} has no attribute {name!r}")
