"""Where a reward's settings come from: keywords, a file, ``GRM_CONFIG``, one object."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from grm_plugin import GRM, GRMConfig
from grm_plugin.config import RENAMED
from grm_plugin.errors import ConfigError, unknown
from grm_plugin.options import read_options
from grm_plugin.plugins import Plugins
from grm_trl.options import TRLOptions

_OWN = TRLOptions.model_fields.keys()
_JUDGE = GRMConfig.model_fields.keys()


def check_keywords(kind: str, keywords: Iterable[str]) -> None:
    """Refuse what is no setting.

    Raises:
        ConfigError: names the keyword and its neighbour, or says that the class itself was called
            as a reward.
    """
    if {"prompts", "completions"} & set(keywords):
        raise ConfigError(
            f"grm_trl.{kind} is a class and TRL called it as if it were a reward; in reward_funcs "
            "name the ready object grm_trl.grm_reward, and give its settings through GRM_CONFIG"
        )
    known = {*_OWN, *_JUDGE}
    for keyword in keywords:
        if keyword.split(".")[0] not in {*known, *RENAMED}:
            raise ConfigError(f"{kind}: {unknown('keyword', keyword, known)}")


def resolve(
    config: GRMConfig | str | Path | None, keywords: dict[str, Any], plugins: Plugins | None
) -> tuple[GRM, TRLOptions]:
    """The judge, not started yet, and the adapter's options.

    Raises:
        ConfigError: a value is wrong, a file can not be read, a part is not installed.
    """
    own = {key: value for key, value in keywords.items() if _is_own(key, value)}
    judge = {key: value for key, value in keywords.items() if key not in own}
    if not isinstance(config, GRMConfig):
        config, judge = GRMConfig.load(config, **judge), {}
    grm = GRM(config, plugins=plugins, **judge)
    section = grm.config.adapters.get("trl", {})
    return grm, read_options(TRLOptions, "adapter 'trl'", {**section, **own})


def _is_own(key: str, value: Any) -> bool:
    """``thinking`` is an option here (a word) and a setting of the judge (its marks)."""
    return key in _OWN and not (key in _JUDGE and isinstance(value, Mapping))


def on_rank(config: GRMConfig, rank: int) -> GRMConfig:
    """The judge's settings on one of several ranks.

    Each has a record of its own, and all ranks of a node use one server where the judge starts one,
    unless ``serve`` says ``shared: false``.
    """
    changes: dict[str, Any] = {}
    if config.record:
        changes["record"] = Path(f"{config.record}.rank{rank}")
    serve = config.engine.options.get("serve")
    if isinstance(serve, Mapping) and "shared" not in serve:
        changes["engine.serve.shared"] = True
    return config.but(**changes) if changes else config
