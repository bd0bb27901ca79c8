"""What a judge said that was shown a whole group."""

from __future__ import annotations

from dataclasses import replace

from grm_plugin.types import Sample, Verdict


def shown_whole(verdict: Verdict) -> Verdict:
    """Without the judgments of a second try that left out responses which broke the first one.

    What is measured is the judge that sees a whole group, so the first try counts as it failed.
    A group that was judged in parts from the start is given back as it is.
    """
    samples: list[Sample] = [*verdict.judgments, *verdict.failures]
    seen = [set(one.order) for one in samples if not one.run]
    if not seen or any(not set(one.order) <= seen[0] for one in samples):
        return verdict
    return replace(
        verdict,
        judgments=tuple(one for one in verdict.judgments if not one.run),
        failures=tuple(one for one in verdict.failures if not one.run),
    )
