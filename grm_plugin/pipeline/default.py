"""The judge when none is named."""

from __future__ import annotations

import warnings

from grm_plugin.config import GRMConfig
from grm_plugin.options import Part
from grm_plugin.remote.launching.gpus import has_cuda_gpu
from grm_plugin.settings import DEFAULT

NO_JUDGE = "none"
DEEPSEEK_GRM_16B = "BBQGOD/DeepSeek-GRM-16B"


def with_judge(config: GRMConfig) -> GRMConfig:
    """``config`` with a judge named: where none is, the one for this machine, or none at all."""
    if not config.asks_a_judge and config.engine.name == DEFAULT:
        return config.but(engine=NO_JUDGE)
    if config.engine.name != DEFAULT:
        return config
    engine = default_judge()
    if "serve" in engine.options and "template" not in config.model_fields_set:
        return config.but(engine=engine, template="deepseek-grm")
    return config.but(engine=engine)


def default_judge() -> Part:
    """The published 16B on a CUDA GPU, else the reference GRM.

    The 16B is one server that all processes of this user on the machine share.
    """
    if has_cuda_gpu():
        serve = {"model": DEEPSEEK_GRM_16B, "shared": True}
        return Part.model_validate({"name": "server", "serve": serve})
    warnings.warn(
        "no judge named and no CUDA GPU: using the embedded reference GRM, which knows only its "
        "own word-list tasks; name a judge with engine=... or GRM_CONFIG",
        stacklevel=2,
    )
    return Part(name="reference")
