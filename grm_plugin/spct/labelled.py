"""RM data: labelled groups from any input; all bad rows are told together."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from grm_plugin.errors import InputError, TemplateError
from grm_plugin.hosts.inputs.opening import Check, Input
from grm_plugin.spct.examples import Datum, datum_of
from grm_plugin.types import Group

MOST_TOLD = 20
"""Bad rows that are told before reading ends."""


class LabelledInput:
    """The data of an input, or those of them that are wanted.

    What can be read only once (``-``, a pipe) is no RM data: it is read whole before it is used.

    Args:
        groups: the input.
        wanted: whether a datum is taken; None: all are.

    Raises:
        InputError: the input can be read only once.
    """

    def __init__(self, groups: Input, wanted: Callable[[Datum], bool] | None = None) -> None:
        if not groups.can_be_read_again:
            raise InputError(f"{groups.label}: expected RM data in a file, which can be read twice")
        self._input, self._wanted = groups, wanted

    can_be_read_again = True

    @property
    def label(self) -> str:
        """How errors call it."""
        return self._input.label

    def groups(self, check: Check | None = None) -> Iterator[Group]:
        """The groups of :meth:`data`."""
        return (datum.group for _, datum in self.data(check))

    def data(self, check: Check | None = None) -> Iterator[tuple[str, Datum]]:
        """Where each datum stands, and the datum; at the end all bad rows are told.

        Args:
            check: called with every group that is wanted; what it refuses is a bad row.

        Raises:
            InputError: rows are bad; the first ``MOST_TOLD`` are told.
            EngineError: a library that its format needs is not installed.
        """
        bad = BadRows(self.label)
        for place, found in to_the_end(self._input.each()):
            datum = self._datum(place, found, check)
            if isinstance(datum, InputError):
                bad.add(datum)
            elif datum:
                yield place, datum
        bad.tell()

    def _datum(
        self, place: str, found: Group | InputError, check: Check | None
    ) -> Datum | InputError | None:
        """The datum of a row, if it is wanted, or why there is none."""
        if isinstance(found, InputError):
            return found
        try:
            datum = datum_of(found)
            if self._wanted and not self._wanted(datum):
                return None
            if check:
                check(found)
        except (InputError, TemplateError) as error:
            return InputError(f"{self.label}, {place}: {error}")
        return datum


class BadRows:
    """The bad rows of an input, to be told together.

    Args:
        label: how errors call the input.
    """

    def __init__(self, label: str) -> None:
        self._label, self._errors = label, list[InputError]()

    def add(self, error: InputError) -> None:
        """Take one in.

        Raises:
            InputError: there are ``MOST_TOLD``; tells all of them.
        """
        self._errors.append(error)
        if len(self._errors) == MOST_TOLD:
            self.tell(more=", at least")

    def tell(self, *, more: str = "") -> None:
        """Raise the errors that were taken in, if there are any.

        Raises:
            InputError: tells all of them, one a line.
        """
        if len(self._errors) == 1:
            raise self._errors[0]
        if self._errors:
            lines = "\n".join(map(str, self._errors))
            raise InputError(f"{self._label} has {len(self._errors)} bad rows{more}:\n{lines}")


def to_the_end(
    rows: Iterator[tuple[str, Group | InputError]],
) -> Iterator[tuple[str, Group | InputError]]:
    """``rows``; where they can not be read on, the error is the last of them."""
    try:
        yield from rows
    except InputError as error:
        yield "", error
