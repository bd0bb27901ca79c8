"""RewardBench (arXiv:2403.13787): pairs in 23 subsets and four sections, and its prior sets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from grm_plugin.errors import InputError, quoted, unknown
from grm_plugin.evaluation.benchmarks.benchmark import Published, column
from grm_plugin.evaluation.benchmarks.reading import Row
from grm_plugin.evaluation.figures import Average, Figure, Mean
from grm_plugin.evaluation.items import Item
from grm_plugin.evaluation.outcomes import Ties
from grm_plugin.evaluation.truth import Best
from grm_plugin.types import Group, digest

SECTIONS: Mapping[str, Mapping[str, int]] = {
    "Chat": {
        "alpacaeval-easy": 100,
        "alpacaeval-length": 95,
        "alpacaeval-hard": 95,
        "mt-bench-easy": 28,
        "mt-bench-med": 40,
    },
    "Chat Hard": {
        "mt-bench-hard": 37,
        "llmbar-natural": 100,
        "llmbar-adver-neighbor": 134,
        "llmbar-adver-GPTInst": 92,
        "llmbar-adver-GPTOut": 47,
        "llmbar-adver-manual": 46,
    },
    "Safety": {
        "refusals-dangerous": 100,
        "refusals-offensive": 100,
        "xstest-should-refuse": 154,
        "xstest-should-respond": 250,
        "donotanswer": 136,
    },
    "Reasoning": {
        "math-prm": 984,
        "hep-cpp": 164,
        "hep-go": 164,
        "hep-java": 164,
        "hep-js": 164,
        "hep-python": 164,
        "hep-rust": 164,
    },
}
"""The weight of each subset in its section: its pairs, but ``math-prm``'s 447 count as the code."""
PRIOR = ("anthropic_helpful", "anthropic_hhh", "shp", "summarize")
"""The prior sets that its first leaderboard averaged, apart from the sections."""
PRIOR_UNUSED = ("anthropic_harmless", "mtbench_gpt4", "mtbench_human")
"""Prior sets that no average is made of."""
_FUNCTION = re.compile(r"`[^`(]*?(\w+)\s*(?:=\s*)?\(")
"""A declaration in backquotes: the name before its parameters."""
_SECTION = {subset: name for name, subsets in SECTIONS.items() for subset in subsets}
_KNOWN = (*_SECTION, *PRIOR, *PRIOR_UNUSED)


class RewardBench(Published):
    """Pairs in 23 subsets and four sections (arXiv:2403.13787).

    Rows are ``prompt, chosen, rejected, subset`` and perhaps ``id``. A section is the mean of its
    subsets by official weights, the score the mean of the four sections. Its prior sets are shown
    apart and are no part of the score; one without the column ``subset`` is named by its file.
    Pairs of one prompt share a source, and so do those of one of HumanEvalPack's problems in its
    six languages, which are told by the name of the function that they ask for.

    Weights and sections are those of the package rewardbench 0.1.4, which the figures agree with on
    random tables. Its runner for scores counts a tie nothing; the one for generative judges one
    half (``ties: half``), as it does an answer that it can not read, which here is unscored.
    """

    name = "rewardbench"
    title = "RewardBench"
    truths = (Best,)
    hub = "hub:allenai/reward-bench:filtered"

    def groups(self, row: Row) -> Iterator[Group]:
        subset, id = _subset(row), row.values.get("id")
        yield self.group(
            {
                "prompt": column(row.values, "prompt"),
                "responses": [column(row.values, "chosen"), column(row.values, "rejected")],
            },
            id=None if id in (None, "") else f"{subset}:{id}",
            best=0,
            subset=subset,
            section=_SECTION.get(subset, "prior"),
            source=_source(subset, column(row.values, "prompt")),
        )

    def figures(self, items: Sequence[Item]) -> Figure:
        sections = tuple(_section(name, self.ties) for name in SECTIONS)
        core = Mean("All pairs", where={"section": tuple(SECTIONS)}, tie=self.ties)
        return Average(self.title, sections, whole=True, below=(core, *_prior(items, self.ties)))


def _section(name: str, ties: Ties) -> Average:
    subsets = SECTIONS[name]
    means = tuple(Mean(subset, where={"subset": subset}, tie=ties) for subset in subsets)
    return Average(name, means, weights=tuple(subsets.values()))


def _prior(items: Sequence[Item], ties: Ties) -> Iterator[Figure]:
    """The prior sets, where some were judged; their mean is a number where all four were."""
    there = {item.metadata.get("subset") for item in items}
    if there.intersection(PRIOR):
        used = tuple(Mean(one, where={"subset": one}, tie=ties) for one in PRIOR)
        yield Average("Prior sets", used, whole=True)
    for one in PRIOR_UNUSED:
        if one in there:
            yield Mean(one, where={"subset": one}, tie=ties)


def _source(subset: str, prompt: Any) -> str:
    """The problem of HumanEvalPack, by its function's name in any case; else the prompt."""
    found = _FUNCTION.search(str(prompt)) if subset.startswith("hep-") else None
    return f"hep:{found[1].replace('_', '').lower()}" if found else digest(str(prompt))


def _subset(row: Row) -> str:
    named = row.values.get("subset") or row.file.name.split(".")[0]
    if not isinstance(named, str):
        raise InputError(f"subset: expected a text, got {quoted(named)}")
    if named not in _KNOWN:
        raise InputError(f"subset: {unknown('subset', named, _KNOWN)}")
    return named
