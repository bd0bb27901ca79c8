"""The page of measured figures, from what `benchmarks/` saved."""

from __future__ import annotations

from docs.figures.coscaling import coscaling
from docs.figures.judging import (
    benchmark_rows,
    expected_score,
    mt_bench_votes,
    orders,
    place_bias,
    uneven_samples,
)
from docs.figures.policies import policy
from docs.figures.running import (
    openrlhf,
    page_of_verdicts,
    report_of_verdicts,
    reward_server,
    soak,
    trl,
)
from docs.figures.spct import spct_study
from docs.figures.speed import (
    before_and_after,
    engines,
    gpu_check,
    group_call,
    local_batches,
    pipeline,
)

SECTIONS = (
    policy,
    coscaling,
    pipeline,
    before_and_after,
    engines,
    place_bias,
    uneven_samples,
    expected_score,
    orders,
    local_batches,
    gpu_check,
    group_call,
    trl,
    openrlhf,
    reward_server,
    soak,
    page_of_verdicts,
    report_of_verdicts,
    mt_bench_votes,
    benchmark_rows,
    spct_study,
)


def figures_page() -> str:
    """Every figure that this project claims, with the machine and the day."""
    return (
        "# Measured figures\n\n"
        "Every figure comes from a script in `benchmarks/`, or a study in `recipes/`, which compares side by side in one run, and from "
        "the JSON that it left in `benchmarks/results/`. A shared machine is noisy: ratios within a run say "
        'more than seconds. "The reference judge" is the embedded one of the day: until 2026-11-26 its first version, on the '
        "27th the base of its second, later the judge that SPCT made of that base.\n\n"
        + "\n".join(section() for section in SECTIONS)
    )
