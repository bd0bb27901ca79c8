"""Where a reward's settings come from: keywords, a file, ``GRM_CONFIG``, one object."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from grm_plugin import GRM, GRMConfig
from grm_plugin.config import RENAMED, TAKEN
from grm_plugin.errors import ConfigError
from grm_plugin.hosts.models import models
from grm_plugin.options import read_options
from grm_plugin.plugins import Plugins
from grm_plugin.problems import stranger
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
        if keyword.split(".")[0] not in {*known, *RENAMED, *TAKEN}:
            raise ConfigError(f"{kind}: {stranger('keyword', keyword, known)}")


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


def on_rank(config: GRMConfig, rank: int, world: int = 1) -> GRMConfig:
    """The judge's settings on one of ``world`` ranks.

    Each has a record of its own, and an equal share of the budget. All ranks of a node use one
    server for each model that the settings start one for, unless its
    ``serve`` says ``shared``; other runs have servers of their own.
    """
    changes: dict[str, Any] = {}
    if config.record:
        changes["record"] = record_on(config.record, rank)
    if config.budget:
        changes["budget"] = config.budget.share(world)
    for place, part in models(config):
        serve = part.get("serve")
        if isinstance(serve, Mapping) and "shared" not in serve:
            changes[f"{place}.serve.shared"] = _run()
    return config.but(**changes) if changes else config


def record_on(record: Path, rank: int) -> Path:
    """The file that one of several ranks writes.

    >>> record_on(Path("verdicts.jsonl"), 1).name
    'verdicts.jsonl.rank1'
    """
    return Path(f"{record}.rank{rank}")


def _run() -> str:
    """What only the ranks of this run have in common, on this machine."""
    where = [os.environ.get(name, "") for name in ("MASTER_ADDR", "MASTER_PORT")]
    if all(where):
        return f"run at {':'.join(where)}"
    if (name := os.environ.get("TORCHELASTIC_RUN_ID", "none")) != "none":  # torchrun's default
        return f"run {name}"
    return f"run on GPUs {os.environ.get('CUDA_VISIBLE_DEVICES', 'all')}"
