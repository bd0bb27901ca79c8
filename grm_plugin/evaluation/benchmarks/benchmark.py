"""What a benchmark is: labelled groups from rows in its own schema, and its official figures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from pydantic import Field

from grm_plugin.engine import Limits
from grm_plugin.errors import ConfigError, InputError, quoted
from grm_plugin.evaluation.benchmarks.reading import Row, rows_of
from grm_plugin.evaluation.items import BENCHMARK, Item
from grm_plugin.evaluation.outcomes import Ties
from grm_plugin.evaluation.truth import Best, Correct, Ratings, Truth, truth_of
from grm_plugin.hosts.rows import Ids, group_of
from grm_plugin.options import Options, read_options
from grm_plugin.types import Group

if TYPE_CHECKING:
    from grm_plugin.evaluation.figures import Figure

MOST_TOLD = 5


class BenchmarkOptions(Options):
    """Options that every benchmark has.

    Args:
        path: a file, a folder or an archive (zip, tar), or ``hub:owner/name`` with ``:split`` or
            ``:config:split``; None: where its authors publish it on the hub.
        password: of a zip archive.
        bad_rows: whether a row that is none of this benchmark is an ``error``, or to ``skip`` and
            count.
        ties: what a tie at the top counts: ``strict`` nothing, ``half``, or ``random`` the share of
            right ones among the tied; None: what its own scorer does.
    """

    path: str | None = Field(None, min_length=1)
    password: str | None = None
    bad_rows: Literal["error", "skip"] = "error"
    ties: Ties | None = None


class Benchmark(Protocol):
    """What ``grm_register_benchmarks`` offers makes: labelled groups, and what they come to.

    ``ties`` is what a tie counts. A group's metadata holds its truth as
    :func:`grm_plugin.evaluation.truth.truth_of` reads it, and ``benchmark``, so that a record of
    verdicts can be evaluated without the data.
    """

    ties: Ties

    def __iter__(self) -> Iterator[Group]:
        """The groups, one at a time; InputError names the file, the line and the column."""

    def figures(self, items: Sequence[Item]) -> Figure:
        """The official figures of judged items; not all groups need to be among them."""


class BenchmarkFactory(Protocol):
    """What ``grm_register_benchmarks`` offers."""

    def __call__(self, options: Mapping[str, Any], limits: Limits) -> Benchmark:
        """A benchmark; wrong options raise ConfigError. None of its data is read yet."""


class Published(ABC):
    """A benchmark whose rows become groups one by one.

    Args:
        options: as :attr:`Options` has them.
        limits: unused.

    After it was read, :attr:`skipped` counts the bad rows, and :attr:`problems` tells the first;
    :attr:`left_out` counts the rows that its own rules leave out, by why.
    """

    Options: ClassVar[type[BenchmarkOptions]] = BenchmarkOptions
    name: ClassVar[str]
    title: ClassVar[str]
    """As its authors call it."""
    official_ties: ClassVar[Ties] = "strict"
    hub: ClassVar[str | None] = None
    """Where its authors publish it."""
    packaged: ClassVar[bool] = False
    """Whether its data comes with this package."""
    truths: ClassVar[tuple[type[Truth], ...]] = (Best, Correct, Ratings)
    """What can be known of its groups."""

    def __init__(self, options: Mapping[str, Any], limits: Limits) -> None:
        self.options = read_options(self.Options, f"benchmark {self.name!r}", options)
        self.ties: Ties = self.options.ties or self.official_ties
        self.skipped = 0
        self.left_out: dict[str, int] = {}
        self.problems: list[str] = []

    @property
    def path(self) -> str:
        """Where its rows are.

        Raises:
            ConfigError: it was not said, and its authors publish it nowhere that can be read.
        """
        if found := self.options.path or self.hub:
            return found
        raise ConfigError(
            f"benchmark {self.name!r}: expected the path of its data, got none; write "
            f"{self.name}:PATH"
        )

    def __iter__(self) -> Iterator[Group]:
        ids = Ids("its option bad_rows=skip leaves such rows out")
        self.skipped, self.problems = 0, []
        self.left_out = {}
        for row in self.rows():
            try:
                groups = [self._checked(group, ids) for group in self.groups(_object(row))]
            except InputError as error:
                self._refuse(row, error)
            else:
                yield from groups

    def rows(self) -> Iterator[Row]:
        """The rows as its files have them."""
        return rows_of(self.path, password=self.options.password)

    def leave_out(self, why: str) -> None:
        """Count a row that is good and that its own rules leave out."""
        self.left_out[why] = self.left_out.get(why, 0) + 1

    @abstractmethod
    def groups(self, row: Row) -> Iterator[Group]:
        """The groups of one row; InputError names the column, what was expected and what came."""

    @abstractmethod
    def figures(self, items: Sequence[Item]) -> Figure:
        """The official figures of ``items``."""

    def check(self, group: Group) -> None:
        """Check what is known of a group, such as a recorded one, for what the figures need.

        Raises:
            InputError: the metadata lacks something, or has it in another form.
        """
        truth = truth_of(group)
        if not isinstance(truth, self.truths):
            known = " or ".join(one.__name__.lower() for one in self.truths)
            got = type(truth).__name__.lower()
            raise InputError(f"metadata: expected {known} in {self.name}, got {got}")

    def group(self, row: Mapping[str, Any], *, id: Any = None, **metadata: Any) -> Group:
        """A group of this benchmark, read as all doors read rows.

        Args:
            row: the prompt and the responses under keys that a row has, say ``prompt`` and
                ``responses``; texts or messages.
            id: unique in the benchmark; None or empty for none.
            metadata: the truth, subset, section and source; None is left out.
        """
        known = {key: value for key, value in metadata.items() if value is not None}
        return group_of({**row, "id": id, "metadata": {BENCHMARK: self.name, **known}})

    def _checked(self, group: Group, ids: Ids) -> Group:
        self.check(group)
        ids.add(group)
        return group

    def _refuse(self, row: Row, error: InputError) -> None:
        told = f"{row.place}: {error}"
        if self.options.bad_rows == "error":
            raise InputError(told) from error
        self.skipped += 1
        if len(self.problems) < MOST_TOLD:
            self.problems.append(told)


def _object(row: Row) -> Row:
    if not isinstance(row.values, Mapping):
        raise InputError(f"expected an object, got {quoted(row.values)}")
    return row


def column(row: Mapping[str, Any], name: str) -> Any:
    """What a row has in a column.

    Raises:
        InputError: there is no such column, or nothing in it.
    """
    if row.get(name) is not None:
        return row[name]
    there = ", ".join(quoted(one) for one in list(row)[:16]) or "an empty object"
    got = "nothing" if name in row else there
    raise InputError(f"{name}: expected a value, got {got}")
