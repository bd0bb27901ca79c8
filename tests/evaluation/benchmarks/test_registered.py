"""Benchmarks are parts like any other: listed without a library, made when they are named."""

from __future__ import annotations

import subprocess
import sys

import pytest

from grm_plugin.errors import ConfigError, EngineError
from grm_plugin.evaluation.benchmarks import BUILT_IN
from grm_plugin.evaluation.benchmarks.benchmark import Published
from grm_plugin.plugins import installed
from tests.evaluation.benchmarks.judged import benchmark


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_benchmark_goes_by_its_name_and_can_be_measured_without_its_data(name: str) -> None:
    found = benchmark(name)
    assert isinstance(found, Published)
    assert (found.name, type(found).__name__) == (name, BUILT_IN[name])
    assert found.title and type(found).__doc__


def test_listing_parts_imports_no_numbers() -> None:
    code = (
        "import sys; from grm_plugin.plugins import installed; list(installed().offers()); "
        "print({'numpy', 'scipy', 'pyarrow', 'datasets'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"


def test_a_library_that_is_not_installed_is_told_with_its_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in [one for one in sys.modules if one.startswith("grm_plugin.evaluation.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "numpy", None)
    telling = r"benchmark 'rm_bench' needs a library.*numpy.*grm-plugin\[eval\]"
    with pytest.raises(EngineError, match=telling):
        benchmark("rm_bench")


def test_a_name_that_nobody_offers_is_told_with_its_neighbour() -> None:
    with pytest.raises(ConfigError, match=r"unknown benchmark 'rm-bench'.*did you mean 'rm_bench'"):
        benchmark("rm-bench")


def test_benchmarks_come_through_the_door_of_plugins() -> None:
    offered = {one.name: one.plugin for one in installed().offers() if one.kind == "benchmark"}
    assert {name: offered[name] for name in BUILT_IN} == dict.fromkeys(
        BUILT_IN, "grm_plugin.evaluation.benchmarks"
    )
