"""Criteria by any of their spellings: which are the same, and which words belong to one task only.

Judges write their criteria anew for every group: "Accuracy", "Factual accuracy", "include sunrise".
Spellings are one criterion when nearly all of their words are the same. Words that the group's own
prompt brings in, such as the sunrise, are left out of them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from grm_plugin.report.criteria.spelling import NEGATIONS, Stems, all_stems, masked, stems, title

MOST = 1000
"""The most criteria that are told apart at a time; rare ones make room for others."""
FEWEST = 5
"""Groups that a criterion must be listed in to be told, and to be kept when there are too many."""
_FULL = 0.9  # so that what one group lists finds room
_ROOM = 50  # one in so many criteria has to be rare before any is forgotten
_SPELLINGS = 40
_OF_PROMPT = 0.9  # share of a word's uses in which the prompt brings it in
_COMMON = 0.2  # of the groups: what so many go by is no word of a task
_ALIKE = 0.6  # words in common of all words of two spellings
_PROMPT = 20_000
_STEMS = 200_000


@dataclass
class Criterion:
    """One criterion: its number, the words of its first spelling, and how often each was written.

    Args:
        number: from 0 on.
        stems: by which spellings are compared; of the first, so that merging does not wander.
        spellings: as written, words of a task left out; the rarest are forgotten.
        groups: in which it was listed.
        last: the number of the last group that listed it.
    """

    number: int
    stems: Stems
    spellings: Counter[str] = field(default_factory=Counter)
    groups: int = 0
    last: int = 0

    @property
    def name(self) -> str:
        """The commonest spelling."""
        return self.spellings.most_common(1)[0][0]

    def spelt(self, spelling: str) -> None:
        """Count one use of a spelling."""
        if spelling in self.spellings or len(self.spellings) < _SPELLINGS:
            self.spellings[spelling] += 1


class Vocabulary:
    """The criteria seen so far. A group's words are learnt with :meth:`learn` before they count."""

    def __init__(self) -> None:
        self.criteria: dict[int, Criterion] = {}
        self._groups = self._listed = self._next = 0
        self._used, self._of_prompt = Counter[str](), Counter[str]()
        self._by_stem: defaultdict[str, dict[int, int]] = defaultdict(dict)
        self._known: dict[Stems, Criterion | None] = {}

    def learn(self, principles: Iterable[str], prompt: Stems) -> None:
        """Learn which words the criteria of one group are made of, and which its prompt brings in.

        Args:
            principles: as the judge wrote them, in all of its judgments.
            prompt: :func:`stems_of` the prompt.
        """
        self._groups += 1
        listed = {stem for one in set(principles) for stem in stems(title(one))}
        self._used.update(listed)
        self._of_prompt.update(listed.intersection(prompt))
        if len(self._used) > _STEMS:
            self._used = Counter({one: n for one, n in self._used.items() if n > 1})
            self._of_prompt = Counter({one: self._of_prompt[one] for one in self._used})

    def find(self, principle: str, prompt: Stems) -> Criterion | None:
        """The criterion that ``principle`` spells; None of a new one when there are too many."""
        name = title(principle)
        written = stems(name)
        special = frozenset(one for one in written & prompt if self._is_of_tasks(one))
        if special == written:
            special = frozenset()
        criterion = self._criterion(written - special or frozenset([name.casefold()]))
        if criterion:
            criterion.spelt(masked(name, special))
        return criterion

    def listed(self, numbers: Iterable[int]) -> None:
        """Count one group for each criterion that its judgments list."""
        self._listed += 1
        for number in numbers:
            criterion = self.criteria[number]
            criterion.groups, criterion.last = criterion.groups + 1, self._listed

    def make_room(self) -> Sequence[int]:
        """Forget rare criteria where there are too many: of the fewest groups, not seen for long.

        Returns:
            Their numbers, which do not come again. What so many groups list stays for good.
        """
        if len(self.criteria) < _FULL * MOST:
            return ()
        rare = [one for one in self.criteria.values() if one.groups < FEWEST]
        if len(rare) * _ROOM < MOST:
            return ()
        rare.sort(key=lambda one: (one.groups, one.last))
        gone = [one.number for one in rare[: (len(rare) + 1) // 2]]
        self._forget(gone)
        return gone

    def _forget(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            for stem in self.criteria.pop(number).stems:
                del self._by_stem[stem][number]
                if not self._by_stem[stem]:
                    del self._by_stem[stem]
        known = self._known.items()
        self._known = {stems: one for stems, one in known if one and one.number in self.criteria}

    def _is_of_tasks(self, stem: str) -> bool:
        used = self._used[stem]
        return self._of_prompt[stem] >= _OF_PROMPT * used and used < max(2, _COMMON * self._groups)

    def _criterion(self, stems: Stems) -> Criterion | None:
        if stems not in self._known:
            found = self._like(stems)
            if found is None and len(self.criteria) < MOST:
                found = self.criteria[self._next] = Criterion(self._next, stems)
                self._next += 1
                for stem in stems:
                    self._by_stem[stem][found.number] = len(stems)
            if len(self._known) > 50 * MOST:
                self._known.clear()
            self._known[stems] = found
        return self._known[stems]

    def _like(self, stems: Stems) -> Criterion | None:
        """The known criterion with the most words in common, if these are enough; the older one."""
        listings = [self._by_stem[stem] for stem in stems if stem in self._by_stem]
        shared = Counter(number for one in listings for number in one)
        sizes = {number: size for one in listings for number, size in one.items()}
        near = [
            (-common / (len(stems) + sizes[number] - common), number)
            for number, common in shared.items()
            if _is_near(common, len(stems), sizes[number])
        ]
        negated = stems & NEGATIONS
        found = (self.criteria[number] for _, number in sorted(near))
        return next((one for one in found if one.stems & NEGATIONS == negated), None)


@lru_cache(maxsize=1 << 8)
def stems_of(prompt: str) -> Stems:
    """The words of a prompt, for :class:`Vocabulary`; of a long one those of its end."""
    return all_stems(prompt[-_PROMPT:])


def _is_near(common: int, one: int, other: int) -> bool:
    """Whether two spellings of so many words, so many of them in common, are of one criterion."""
    if common >= _ALIKE * (one + other - common):
        return True
    fewer = min(one, other)
    return common == fewer and abs(one - other) <= min(2, fewer)
