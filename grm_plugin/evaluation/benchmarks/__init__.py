"""Published benchmarks in their own schemas and by their own rules, each read when it is used."""

from __future__ import annotations

from grm_plugin.evaluation.benchmarks.benchmark import BenchmarkFactory
from grm_plugin.hookspecs import Register, hookimpl
from grm_plugin.lazily import Lazily

BUILT_IN = {
    "injections": "Injections",
    "judgebench": "JudgeBench",
    "labelled": "Labelled",
    "llmbar": "LLMBar",
    "master_keys": "MasterKeys",
    "ppe_correctness": "PPECorrectness",
    "ppe_preference": "PPEPreference",
    "ratings": "RatedResponses",
    "realmistake": "ReaLMistake",
    "rewardbench": "RewardBench",
    "rewardbench2": "RewardBench2",
    "rm_bench": "RMBench",
    "rmb": "RMB",
}
"""The built-in benchmarks, each in a module of its name, and their classes."""


@hookimpl
def grm_register_benchmarks(register: Register[BenchmarkFactory]) -> None:
    """Offer the built-in benchmarks."""
    for name, kind in BUILT_IN.items():
        owner = f"benchmark {name!r}"
        register(name, Lazily(f"{__name__}.{name}", kind, owner=owner, extra="eval"))
