"""The engine ``none``: no judge, where a scalar RM decides alone. It is never started."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from grm_plugin.engine import Draw, Limits, SampleRequest
from grm_plugin.errors import EngineError
from grm_plugin.options import Options, read_options
from grm_plugin.prices import Prices
from grm_plugin.types import Message


class Nobody:
    """Stands where a judge would, and judges nothing."""

    Options = Options
    model = "none"
    context_tokens: int | None = None
    prices = Prices(prompt=0, output=0)
    flops_per_token = 0.0

    def __init__(self, options: Mapping[str, Any], limits: Limits) -> None:
        read_options(Options, "engine 'none'", options)

    async def start(self) -> None: ...

    async def sample(self, request: SampleRequest) -> Sequence[Draw | EngineError]:
        raise EngineError("engine 'none' is no judge; name one with engine")

    async def count_tokens(self, messages: Sequence[Message]) -> int | None:
        return None

    async def close(self) -> None: ...
