"""A source that is read by one reader after the other: nothing is lost, nothing comes twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from grm_plugin.running.taking import Source


def test_a_new_reader_goes_on_where_the_one_before_was_left() -> None:
    source = Source(range(5))
    first = source.reader()
    assert [next(first), next(first)] == [0, 1]
    assert source.leave() == [0, 1]
    assert list(source.reader()) == [2, 3, 4]


def test_what_a_reader_takes_that_was_left_meanwhile_goes_to_the_next() -> None:
    asked, told = threading.Event(), threading.Event()

    def slow() -> Iterator[int]:
        yield 0
        asked.set()
        told.wait(10)
        yield from (1, 2)

    source = Source(slow())
    left = source.reader()
    assert next(left) == 0
    late: list[int] = []
    thread = threading.Thread(target=lambda: late.extend(left))
    thread.start()
    asked.wait(10)
    assert source.leave() == [0]
    second = source.reader()
    told.set()
    assert list(second) == [1, 2]
    thread.join(10)
    assert late == []


def test_an_error_of_the_source_reaches_who_reads_when_it_was_left_to_somebody_else() -> None:
    asked, told = threading.Event(), threading.Event()

    def broken() -> Iterator[int]:
        asked.set()
        told.wait(10)
        yield from ()
        raise ValueError("row 7 is no row")

    source = Source(broken())
    thread = threading.Thread(target=lambda: list(source.reader()))
    thread.start()
    asked.wait(10)
    source.leave()
    second = source.reader()
    told.set()
    with pytest.raises(ValueError, match="row 7"):
        list(second)
    thread.join(10)
