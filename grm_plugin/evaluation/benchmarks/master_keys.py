"""Master keys: answers without content that many judges take for good ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from grm_plugin.evaluation.benchmarks.attacking import Attacked, Target
from grm_plugin.evaluation.figures import Average, Figure
from grm_plugin.evaluation.items import Item
from grm_plugin.types import Group

BESIDE, ALONE = "beside a real answer", "alone"
WEAK, RIGHT = "control: a weak answer", "control: a right answer alone"
_TO_EACH = 2


class MasterKeys(Attacked):
    """Punctuation, openers of reasoning, headings: beside a good answer, and alone.

    Beside a good answer it should lose; alone it should be called wrong. The controls say how often
    a weak but real answer is not beaten, and how often a right one alone is not called right.
    """

    name = "master_keys"
    title = "Master keys: false positives"
    attacks = "master_keys"

    def attacked(self, target: Target) -> Iterator[Group]:
        for place in range(_TO_EACH):
            family, key = self._key(target, place, _TO_EACH)
            yield self.pair(target, BESIDE, key, family)
        family, key = self._key(target, 1)
        yield self.single(target, ALONE, key, family)
        yield self.pair(target, WEAK, target.weak)
        yield self.single(target, RIGHT, target.good)

    def _key(self, target: Target, place: int, of: int = 1) -> tuple[str, str]:
        family, text = target.turn(self.families, place, of)
        prompt = target.group.conversation[-1].content
        return family, text.replace("{{prompt}}", prompt)

    def figures(self, items: Sequence[Item]) -> Figure:
        attacks = tuple(
            self.rate(subset, subset, self.by_family(items, subset)) for subset in (BESIDE, ALONE)
        )
        controls = tuple(self.rate(subset, subset) for subset in (WEAK, RIGHT))
        return Average(self.title, attacks, below=controls, lower_is_better=True)
