"""How many parameters of a model work on each token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_EXPERTS = ("num_experts", "num_local_experts", "n_routed_experts")


def flops_per_token(model: Any) -> float:
    """FLOPs of a forward pass for one token: two for each active parameter, attention left out."""
    return 2.0 * active_parameters(model)


def active_parameters(model: Any) -> float:
    """Parameters that a token is multiplied with.

    Not the table of embeddings, from which a token takes a row, unless the output uses it as well;
    of experts only the share that a token is sent to.
    """
    looked_up = _weights(model.get_input_embeddings)
    if looked_up is _weights(model.get_output_embeddings):
        looked_up = None
    share = _used_experts(model.config.get_text_config())
    named = ((name, one) for name, one in model.named_parameters() if one is not looked_up)
    return float(sum(one.numel() * (share if ".experts." in name else 1.0) for name, one in named))


def _weights(find: Callable[[], Any]) -> Any:
    """Those of a layer that a model tells; None where it tells none."""
    try:
        return getattr(find(), "weight", None)
    except (AttributeError, NotImplementedError):  # models with code of their own
        return None


def _used_experts(config: Any) -> float:
    """The share of the experts of a layer that one token is sent to; 1 where there are none."""
    counts = (getattr(config, name, None) for name in _EXPERTS)
    experts, used = next(filter(None, counts), None), getattr(config, "num_experts_per_tok", None)
    return used / experts if experts and used else 1.0
