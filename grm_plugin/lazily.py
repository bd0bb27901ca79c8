"""Factories that are imported when they are first used: listing parts loads no library."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from grm_plugin.engine import Limits
from grm_plugin.errors import not_installed


class Lazily:
    """A factory of parts in a module that is not imported yet.

    Args:
        module: where it is.
        name: what it is called there.
        owner: how errors call the part, say ``benchmark 'rmb'``, where its module needs an extra.
        extra: the extra that brings what its module imports.
    """

    def __init__(self, module: str, name: str, *, owner: str = "", extra: str = "") -> None:
        self._module, self._name = module, name
        self._owner, self._extra = owner, extra

    def __call__(self, options: Mapping[str, Any], limits: Limits) -> Any:
        """The part; raises what the factory raises."""
        return self.factory(options, limits)

    @property
    def Options(self) -> Any:
        """The model of its options."""
        return self.factory.Options

    @property
    def factory(self) -> Any:
        """What is called; its module is imported by that.

        Raises:
            EngineError: a library that its module needs is not installed.
        """
        try:
            return getattr(importlib.import_module(self._module), self._name)
        except ImportError as error:
            if not self._extra:
                raise
            raise not_installed(self._owner, self._extra, error) from error
