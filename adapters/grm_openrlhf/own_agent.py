"""A user's own agent file, loaded as the host would load it."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from grm_plugin.errors import ConfigError


def load_executor(path: Path) -> Any:
    """An instance of the ``AgentExecutor`` that the file defines.

    Raises:
        ConfigError: the file is not there or defines none.
    """
    spec = importlib.util.spec_from_file_location("agent_module", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise ConfigError(f"agent file {path}: expected a Python file, got none on this node")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not hasattr(module, "AgentExecutor"):
        raise ConfigError(f"agent file {path}: expected a class AgentExecutor, got none")
    return module.AgentExecutor()
