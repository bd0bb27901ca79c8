"""OpenRLHF's own executor with the adapter's rewards, driven as a rollout actor drives it.

The host is imported when it is used: that takes seconds.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType, SimpleNamespace
from typing import Any

from grm_plugin.plugins import Plugins
from grm_plugin.testing.host import Asked, Datum, Rewards


class Characters:
    """A tokenizer whose tokens are characters."""

    eos_token_id = pad_token_id = None
    all_special_ids: Sequence[int] = ()
    added_tokens_decoder: Mapping[int, Any] = MappingProxyType({})

    def __call__(self, text: str, **_: Any) -> dict[str, Any]:
        import torch

        return {"input_ids": torch.tensor([[ord(character) for character in text]])}

    def decode(self, tokens: Sequence[int], **_: Any) -> str:
        return "".join(map(chr, tokens))


class Answers:
    """Stands in for vLLM: the completions of one prompt, each at its turn."""

    def __init__(self, texts: Mapping[int, str], turns: Sequence[int]) -> None:
        self._texts, self._turns = texts, list(turns)
        self._started = 0

    async def generate(self, *_: Any, **__: Any) -> Any:
        place, self._started = self._started, self._started + 1
        for _wait in range(self._turns.index(place)):
            await asyncio.sleep(0)
        output = SimpleNamespace(
            token_ids=[ord(character) for character in self._texts[place]],
            text=self._texts[place],
            finish_reason="stop",
            logprobs=None,
        )
        return SimpleNamespace(outputs=[output])


class OpenRLHFHost:
    hands_over: frozenset[Datum] = frozenset(["messages", "reference"])
    abstains = False

    def rewards(
        self,
        asked: Sequence[Asked],
        judge: Plugins,
        *,
        order: Sequence[tuple[int, int]],
        options: Mapping[str, Any],
        config: Mapping[str, Any],
    ) -> Rewards:
        from grm_openrlhf.settings import RunSettings

        with_reference = any(one.reference is not None for one in asked)
        settings = RunSettings(
            config={**config, "adapters": {"openrlhf": dict(options)}},
            label="reference" if with_reference else "conversation",
            own_label=not with_reference,
            groups_per_step=1,
        )
        return asyncio.run(_step(asked, order, settings, judge))


async def _step(
    asked: Sequence[Asked], order: Sequence[tuple[int, int]], settings: Any, judge: Plugins
) -> Rewards:
    from openrlhf.utils.agent import SingleTurnAgentExecutor

    from grm_openrlhf.rollouts import ScoredRollouts

    roll_out = SingleTurnAgentExecutor().execute
    # releases since 0.10.0 hand images over
    images = {"images": None} if "images" in inspect.signature(roll_out).parameters else {}
    execute = partial(ScoredRollouts(roll_out, settings, plugins=judge).execute, **images)
    groups = [_group(execute, one, [n for g, n in order if g == i]) for i, one in enumerate(asked)]
    return list(await asyncio.gather(*groups))


async def _group(execute: Any, one: Asked, turns: Sequence[int]) -> list[float | None]:
    sampling = SimpleNamespace(temperature=1.0, max_tokens=4096, logprobs=None)
    engine = Answers(dict(enumerate(one.completions)), turns)
    calls = [
        execute(
            prompt=f"<|user|>{one.prompt}<|assistant|>",
            label=one.prompt if one.reference is None else one.reference,
            sampling_params=sampling,
            max_length=8192,
            hf_tokenizer=Characters(),
            llm_engine=engine,
        )
        for _ in one.completions
    ]
    return [output["reward"] for output in await asyncio.gather(*calls)]
