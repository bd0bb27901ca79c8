"""Whether the judge lives, as /health tells it."""

from __future__ import annotations

from grm_plugin.running.loop import LoopBlocked
from grm_plugin.serving.judging import Probe


class Blocked:
    async def check(self) -> None:
        raise LoopBlocked("voter 'mine' blocks the judge's event loop for 9 s")


async def test_a_judge_that_a_part_blocks_is_in_trouble_and_the_part_is_named() -> None:
    assert "voter 'mine' blocks" in await Probe(Blocked()).trouble()  # type: ignore[arg-type]
