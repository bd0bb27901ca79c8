"""What an engine says when the libraries it runs on are not installed."""

from __future__ import annotations

from grm_plugin.errors import EngineError


def not_installed(owner: str, extra: str, error: ImportError) -> EngineError:
    """The error for ``owner``, say ``engine 'vllm'``, whose import failed with ``error``."""
    return EngineError(
        f"{owner} needs a library that can not be imported ({error}); "
        f'pip install "grm-plugin[{extra}]"'
    )
