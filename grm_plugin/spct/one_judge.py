"""That all verdicts of a training come from one judge: another one scores by another measure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grm_plugin.errors import InputError, quoted
from grm_plugin.pipeline.origin import NO_SETTINGS
from grm_plugin.types import Verdict

_NO_JUDGE = {*NO_SETTINGS, "k", "k_meta", "permutations", "seed", "stop", "min_valid", "scalar"}
"""What the origin of a verdict says besides its judge: how many samples, which, and who else."""


class OneJudge:
    """Compares the judge of each verdict with that of the first.

    Args:
        any_judge: take all of them, whoever judged.
    """

    def __init__(self, *, any_judge: bool = False) -> None:
        self._any = any_judge
        self._first: tuple[str, Mapping[str, Any]] | None = None

    @property
    def origin(self) -> Mapping[str, Any]:
        """What the first verdict says of its judge; empty before there is one."""
        return self._first[1] if self._first else {}

    def check(self, verdict: Verdict, place: str) -> None:
        """Refuse a verdict of another judge.

        Args:
            verdict: with judgments.
            place: its file and line.

        Raises:
            InputError: names both places, and what differs.
        """
        found = {name: told for name, told in verdict.origin.items() if name not in _NO_JUDGE}
        if self._first is None:
            self._first = place, found
        first_place, first = self._first
        differ = [name for name in {**first, **found} if found.get(name) != first.get(name)]
        if differ and not self._any:
            raise InputError(
                f"{place}: expected the judge of {first_place} ({_told(first, differ)}), got "
                f"another one ({_told(found, differ)}); give records of one judge, or --any-judge"
            )


def _told(judge: Mapping[str, Any], names: list[str]) -> str:
    return ", ".join(f"{name} {quoted(judge.get(name))}" for name in names)
