"""What an output file holds already, so that ``grm score`` can go on with it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from grm_plugin.errors import InputError, quoted
from grm_plugin.pipeline.origin import NO_SETTINGS
from grm_plugin.types import LOST, Cost, Group, Verdict

Again = Callable[[Verdict], bool]
Key = tuple[str, str]
OTHER = "choose another output, or --append to have both in it"


def key(group: Group) -> Key:
    """What a verdict is found by: id and content of its group, both of them."""
    return group.id, group.fingerprint


class Earlier:
    """Which groups need no judge any more, and which need one again.

    Of equal groups each needs a verdict of its own.

    Args:
        again: whether the group of a verdict is to be judged again.
        old: whether a verdict gives way to one that was renewed; all are that to be judged again.
        spent: what the verdicts cost that were taken in, whatever becomes of them.
    """

    def __init__(self, again: Again, old: Again) -> None:
        self._again, self._is_old = again, old
        self.spent = Cost()
        self._done: Counter[Key] = Counter()
        self._renewed: Counter[Key] = Counter()
        self._old: Counter[Key] = Counter()
        self._unasked: Counter[Key] = Counter()

    def pay(self, verdict: Verdict) -> None:
        """Take in what a verdict cost, and nothing else of it."""
        self.spent += verdict.cost

    def renew(self, verdict: Verdict) -> None:
        """Take in a verdict that will stand where an older one stands, or at the end."""
        self.pay(verdict)
        self._done[key(verdict.group)] += 1
        self._renewed[key(verdict.group)] += 1

    def take(self, verdict: Verdict) -> bool:
        """Take in a verdict of the file; whether it stands."""
        self.pay(verdict)
        found = key(verdict.group)
        if self._is_old(verdict) and _use(self._renewed, found):
            return False
        if self._again(verdict):
            self._old[found] += 1
            self._unasked[found] += 1
            return False
        self._done[found] += 1
        return True

    def knows(self, group: Group) -> bool:
        """Whether there is a verdict of ``group`` that nobody has asked for yet."""
        found = key(group)
        return found in self._done or found in self._unasked

    def has(self, group: Group) -> bool:
        """Whether ``group`` needs no judge; the answer uses its verdict up."""
        if _use(self._done, key(group)):
            return True
        _use(self._unasked, key(group))
        return False

    def replaces(self, verdict: Verdict) -> bool:
        """Whether there is an older verdict for this one to replace; the answer uses it up."""
        return _use(self._old, key(verdict.group))

    def old(self, verdicts: Iterable[Verdict]) -> Iterator[Verdict]:
        """Those of the file's verdicts that were to be replaced, and nobody has asked for."""
        for verdict in verdicts if self._unasked else ():
            if self._again(verdict) and _use(self._unasked, key(verdict.group)):
                yield verdict

    @property
    def to_replace(self) -> int:
        """Verdicts whose groups are to be judged again."""
        return self._old.total()

    @property
    def unasked(self) -> int:
        """Verdicts that belong to none of the groups asked for by now."""
        return self._done.total() + self._unasked.total()

    def strangers(self, groups: Iterable[Group]) -> list[str]:
        """The ids of verdicts that belong to none of ``groups``; reads no more than it has to."""
        left = self._done + self._unasked
        groups = iter(groups)
        while left and (group := next(groups, None)):
            _use(left, key(group))
        return [name for name, _ in left.elements()]

    def lacks(self, groups: Iterable[Group]) -> bool:
        """Whether one of ``groups`` has no verdict at all; reads no more than it has to."""
        left = self._done + self._unasked
        return any(not _use(left, key(group)) for group in groups)


def _use(counts: Counter[Key], found: Key) -> bool:
    if found not in counts:
        return False
    counts[found] -= 1
    if not counts[found]:
        del counts[found]
    return True


def mixed(place: str, strangers: Sequence[str], source: str, advice: str) -> InputError:
    """The error for the verdicts of two inputs in one file.

    Args:
        place: the file.
        strangers: ids of verdicts in it whose groups are not in the input.
        source: the input.
        advice: what to do about it.
    """
    return InputError(
        f"{place} holds verdicts of {len(strangers)} groups that are not in {source}, such as "
        f"{quoted(strangers[0])}; {advice}"
    )


def lost(verdict: Verdict, enough: int) -> bool:
    """Whether a group has no rewards only because judgments were lost on the way.

    Its samples failed by transport, timeout or a refusal of the server, and so many of them that
    they could have been enough; or none was drawn, though the group itself was not refused. To
    judge such a group again drops nothing that the judge has answered.

    Args:
        verdict: of the group.
        enough: valid samples a run of the group needs.
    """
    if verdict.scored:
        return False
    if not verdict.judgments and not verdict.failures:
        return not verdict.unscored.startswith("refused: ")
    missing = Counter(one.run for one in verdict.failures if one.reason in LOST)
    valid = Counter(one.run for one in verdict.judgments)
    return any(missing[run] + valid[run] >= enough for run in missing)


def lacks_samples(verdict: Verdict, enough: int) -> bool:
    """Whether a judgment of a group was lost on the way, with or without rewards of the others."""
    return any(one.reason in LOST for one in verdict.failures) or lost(verdict, enough)


def check_same_settings(
    place: str, before: Mapping[str, Any], now: Mapping[str, Any], advice: str
) -> None:
    """Refuse to mix verdicts of two settings in one file.

    Args:
        place: the file.
        before: origin of a verdict in it; empty where it has none.
        now: origin of the verdicts to come; a model that is not known yet is not compared.
        advice: what to do about it.

    Raises:
        InputError: names each setting that differs, what it was and what it is.
    """
    if not before:
        return
    before, current = dict(before), json.loads(json.dumps(dict(now)))
    if not current.get("model"):
        before["model"] = current["model"] = ""
    told = [name for name in {**before, **current} if name not in NO_SETTINGS]
    names = [name for name in told if before.get(name) != current.get(name)]
    if names:
        changes = [f"{name} was {before.get(name)!r}, is {current.get(name)!r}" for name in names]
        raise InputError(f"{place} was made with other settings ({'; '.join(changes)}); {advice}")
