"""Where processes of one run differ, and which release of a host is installed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

ByValue = dict[str | None, list[int]]


def differences(terms: Sequence[Mapping[str, str]]) -> dict[str, ByValue]:
    """The terms that are not the same everywhere: each value and who has it, by place in ``terms``.

    None stands for a term that somebody has not.

    >>> differences([{"k": "8", "vote": "mean"}, {"k": "4", "vote": "mean"}, {"vote": "mean"}])
    {'k': {'8': [0], '4': [1], None: [2]}}
    """
    names = dict.fromkeys(name for one in terms for name in one)
    found = {name: _by_value([one.get(name) for one in terms]) for name in names}
    return {name: by_value for name, by_value in found.items() if len(by_value) > 1}


def _by_value(values: Sequence[str | None]) -> ByValue:
    found: ByValue = {}
    for place, value in enumerate(values):
        found.setdefault(value, []).append(place)
    return found


def release(version: str, parts: int) -> tuple[int, ...]:
    """The first numbers of a version, to compare it by.

    >>> release("0.11.2.post1", 3)
    (0, 11, 2)
    """
    return tuple(int(part) for part in version.split(".")[:parts] if part.isdecimal())
