"""What a checkpoint on this machine says about how it wants to be sampled."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grm_plugin.cli.environment import Check
from grm_plugin.options import Part

_NEUTRAL: Mapping[str, tuple[Any, ...]] = {
    "temperature": (1,),
    "top_p": (1,),
    "top_k": (0, -1),
    "min_p": (0,),
    "typical_p": (1,),
    "repetition_penalty": (1,),
    "no_repeat_ngram_size": (0,),
}


def sampling_is_ours(engine: Part) -> Check:
    """Whether the checkpoint's ``generation_config.json`` would bend the judge."""
    serve = engine.options.get("serve")
    named = serve if isinstance(serve, Mapping) else engine.options
    found = bending(Path(str(named.get("model", ""))).expanduser())
    if not found:
        return Check("ok", "no checkpoint on this machine asks for settings of its own")
    values = ", ".join(f"{name} {value}" for name, value in found.items())
    detail = f"generation_config.json of {named['model']} sets {values}"
    if any("generation-config" in str(arg).replace("_", "-") for arg in named.get("args", ())):
        return Check("warn", f"{detail}, and args decide what vLLM does with it")
    return Check("ok", f"{detail}; neutral values are used instead")


def bending(folder: Path) -> dict[str, Any]:
    """What ``generation_config.json`` in ``folder`` sets to something that is not neutral."""
    try:
        values = json.loads((folder / "generation_config.json").read_text(encoding="utf-8"))
        return {
            name: values[name]
            for name, neutral in _NEUTRAL.items()
            if values.get(name) is not None and values[name] not in neutral
        }
    except (OSError, ValueError, AttributeError):
        return {}
