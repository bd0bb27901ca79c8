"""What the rewards of a process depend on, so that all processes of a run can compare it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import grm_plugin
from grm_plugin.grm import GRM

Terms = dict[str, str]

# what may differ from process to process without changing a reward: addresses, files, waiting
_LOCAL = frozenset(
    (
        *("url", "urls", "api_key_env", "record", "adapters"),
        *("gpus", "port", "env", "command", "log", "shared", "start_timeout_s"),  # of a server
        *("request_timeout_s", "group_timeout_s", "batch_timeout_s", "tries"),
        *("max_concurrent_samples", "max_concurrent_groups", "dead_groups", "dead_after_s"),
    )
)


def terms(judge: GRM) -> Terms:
    """What decides a reward, as found in this process: a short text for every setting.

    A template is named by its file and a digest of its text.

    Args:
        judge: with the settings of the run.
    """
    template = judge.template
    return {
        **flat(judge.config.model_dump(mode="json")),
        "template": f"{PurePath(template.name).name} ({template.digest[:12]})",
        "version of grm-plugin": grm_plugin.__version__,
    }


def flat(values: Mapping[str, Any], prefix: str = "") -> Terms:
    """Settings as texts under dotted names, without those that are a process's own.

    A part stands under the name of its setting, its options below that.

    >>> flat({"k": 8, "engine": {"name": "server", "url": "http://a", "model": "grm"}})
    {'k': '8', 'engine': 'server', 'engine.model': 'grm'}
    """
    found: Terms = {}
    for key, value in values.items():
        if key in _LOCAL:
            continue
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}".removesuffix(".name")] = str(value)
    return found
