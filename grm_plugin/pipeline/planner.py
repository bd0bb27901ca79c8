"""The plan of a case: the settings of its shuffles, applied to its runs."""

from __future__ import annotations

from dataclasses import dataclass

from grm_plugin.config import GRMConfig
from grm_plugin.pipeline.case import Case, Run
from grm_plugin.pipeline.planning import Showing, digest, plan

_NONCE_LETTERS = 6


@dataclass(frozen=True)
class Planner:
    """Says which samples of which prompts are drawn; the same for the same case, always.

    Args:
        config: its seed, shuffles and nonce.
        both_orders: whether two responses are always shown both ways round.
    """

    config: GRMConfig
    both_orders: bool = False

    def showings(self, case: Case) -> list[Showing]:
        """All samples of all runs."""
        return [
            showing
            for number, run in enumerate(case.runs)
            for showing in self.of_run(case, run, number, case.size.k)
        ]

    def of_run(self, case: Case, run: Run, number: int, k: int) -> list[Showing]:
        """``k`` samples of one run."""
        return plan(
            run,
            k=k,
            permutations=min(k, self.config.shuffles(case.size)),
            seed=self.config.seed,
            fingerprint=case.asked.fingerprint,
            run=number,
            shuffle="balanced" if self.both_orders else self.config.shuffle,
        )

    def ring(self, fingerprint: str) -> str:
        """What decides the ring and the pivot of a group's pairs."""
        return f"{self.config.seed}:{fingerprint}"

    def nonce(self, fingerprint: str) -> str:
        """What the delimiters of a group carry: one word a group, or nothing."""
        if not self.config.nonce:
            return ""
        return f"{digest(f'{self.config.seed}:{fingerprint}:nonce'):016x}"[:_NONCE_LETTERS]
