"""What the samples of a verdict cost, and what fewer of them would have."""

from __future__ import annotations

from dataclasses import replace

from grm_plugin.types import Cost, Sample, Verdict


def samples_of(verdict: Verdict) -> int:
    """How many samples of each run are on record, dropped ones included."""
    found: list[Sample] = [*verdict.judgments, *verdict.failures]
    return len({one.sample for one in found})


def cost_of_samples(verdict: Verdict, k: int | None = None) -> Cost:
    """What the first samples on record cost, without those of verdicts that it replaced.

    Of what is known of all samples together alone (seconds, FLOPs), it is their share. A meta RM
    reads every judgment and counts with it; a scalar RM reads the group once, whatever k. Seconds
    are those from asking to verdict, waiting included; groups that are judged side by side have
    the same ones.

    Args:
        verdict: scored or not.
        k: of each run; None, or more than there are: all samples.

    >>> from grm_plugin.types import Group, Judgment, Scalar
    >>> votes = [Judgment(n, (0, 1), 0, "", (9.0, 1.0), money=1.0) for n in range(4)]
    >>> cost, scalar = Cost(flops=1080.0), Scalar((1.0, 0.0), money=5.0, flops=1000.0)
    >>> judged = Verdict(Group.of("q", ["a", "b"]), (1.0, 0.0), tuple(votes))
    >>> found = cost_of_samples(replace(judged, cost=cost, scalar=scalar), 1)
    >>> found.money, found.flops
    (6.0, 1020.0)
    """
    samples: list[Sample] = [*verdict.judgments, *verdict.failures]
    numbers = sorted({one.sample for one in samples})
    kept = set(numbers[:k])
    share = len(kept) / len(numbers) if numbers else 1.0
    together, scalar = verdict.cost, _of_scalar(verdict)
    if together.flops is not None:
        together = replace(together, flops=max(0.0, together.flops - (scalar.flops or 0.0)))
    together = together.share(share)
    first = (one for one in samples if one.sample in kept)
    return Cost.of(first, together.seconds, together.flops) + scalar


def _of_scalar(verdict: Verdict) -> Cost:
    """What a scalar RM cost, beside the samples; the seconds are those of all."""
    scalar = verdict.scalar
    return Cost(money=scalar.money, flops=scalar.flops) if scalar else Cost()
