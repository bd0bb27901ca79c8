"""What policies learned from a judge."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

from docs.figures.cells import Result, estimate, mean_of, result, table, where
from docs.figures.speed import samples


def policy() -> str:
    found = result("policy_learning")
    rows = [
        (
            *_qualities(f"reward: {arm}", list(runs.values()), found["before"]),
            f"{statistics.fmean(run['gap']['growth'] for run in runs.values()):+.2f}",
            _minutes(runs.values()),
        )
        for arm, runs in found["arms"].items()
    ]
    learned = table(
        (*QUALITIES, "hacking gap grew by", "a run"), [(*_before(found), "", "", ""), *rows]
    )
    return (
        "## A policy learns from the judge\n\n"
        f"`policy_learning.py`, {where(found)}. The tiny policy, trained by the real `trl grpo` with the recipes of "
        "`recipes/reference/grpo/`; true quality (0..1) of 300 answers to queries that no training used; mean, lowest and "
        "highest of the seeds. Bars are 95 % intervals over the queries. No judge sees true quality, except that the checker as a reward, the upper bound, is it. The "
        "hacking gap is judge reward minus true quality; it grows where a policy learns to please the judge.\n\n"
        f"{learned}\n![Where each seed ended: true quality, and what the judge was deceived by](../images/policy_learning.png)\n\n"
        f"{samples(found)}\n{_policy_of_openrlhf()}"
    )


def _policy_of_openrlhf() -> str:
    found = result("openrlhf_learning")
    full, over = found["compared with"], found["true quality over it"]
    rows = [
        (
            *_qualities(f"reward: GRM, {arm}", list(runs.values()), found["before"]),
            estimate(over[arm]["train"], "+.3f") if arm in over else "",
            estimate(over[arm]["heldout"], "+.3f") if arm in over else "",
            f"{statistics.fmean(run['judge tokens out'] for run in runs.values()) / 1e6:.2f} million",
        )
        for arm, runs in found["arms"].items()
    ]
    runs = list(found["arms"][full].values())
    heads = (*QUALITIES, f"over {full}: fresh", "held-out", "judge's output tokens")
    return (
        f"The same with OpenRLHF: `openrlhf_learning.py`, {where(found)}; the recipes of `recipes/reference/openrlhf/`, "
        f"{len(runs)} seeds of {len(runs[0]['reward'])} rollouts, the unmodified trainer on pretended GPUs, about "
        f"{_minutes(runs)} a run. A k that grows is 2, from rollout 14 on 4, from rollout 27 on 8. The difference to "
        f"{full} is that of the seeds' means, with a 95 % interval of a paired bootstrap over the queries: it says "
        "nothing about other seeds.\n\n"
        + table(heads, [(*_before(found), "", "", "", ""), *rows])
        + "\n![True quality of rollouts, and against judge tokens](../images/openrlhf_learning.png)\n"
    )


QUALITIES = ("", "fresh queries", "held-out words", "change")


def _before(found: Result) -> list[str]:
    splits = ("train", "heldout")
    return [
        "before training",
        *(f"{found['before'][split]['true quality']:.2f}" for split in splits),
    ]


def _qualities(name: str, runs: Sequence[Result], before: Result) -> list[str]:
    """Cells under ``QUALITIES``."""
    fresh = [run["train"]["true quality"] for run in runs]
    return [
        name,
        mean_of(fresh),
        mean_of(run["heldout"]["true quality"] for run in runs),
        f"{statistics.fmean(fresh) - before['train']['true quality']:+.2f}",
    ]


def _minutes(runs: Iterable[Result]) -> str:
    return f"{statistics.fmean(run['seconds'] for run in runs) / 60:.0f} min"
