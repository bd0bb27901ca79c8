"""What the reference engine generates with. Imports torch: import it late."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from grm_plugin.local.generation import Ending, Generator
from grm_plugin.local.options import LocalJudgeOptions, Row
from grm_plugin.local.seeded import SeededSampler
from grm_plugin.reference.decoding import Decoder, suits


class ReferenceGenerator(Generator):
    """Generates with the network's own :class:`Decoder`, and other networks with transformers.

    Arguments and errors are those of the :class:`Generator`.
    """

    def __init__(self, options: LocalJudgeOptions, owner: str, timeout_s: float) -> None:
        super().__init__(options, owner, timeout_s)
        self._decoder = Decoder(self.model) if suits(self.model) else None
        self._end_tokens = torch.tensor(sorted(self.ends), device=self.model.device)

    def _generate(self, rows: Sequence[Row], ending: Ending) -> list[list[int]]:
        if self._decoder is None:
            return super()._generate(rows, ending)
        sampler = SeededSampler(
            [row.sampling for row in rows], [row.seed for row in rows], self.model.device
        )

        def ended(written: torch.Tensor) -> torch.Tensor:
            at_end = torch.isin(written, self._end_tokens).any(1)
            return at_end | ending(written, written)

        steps = max(row.sampling.max_tokens for row in rows)
        tokens = self._decoder.generate(
            [row.prompt for row in rows], steps=steps, sampler=sampler, ended=ended
        )
        return [list(row) for row in tokens.tolist()]
