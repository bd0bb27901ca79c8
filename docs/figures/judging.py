"""What moves the accuracy of a judge."""

from __future__ import annotations

from collections.abc import Sequence

from docs.figures.cells import Result, interval, points, result, share, table, where


def orders() -> str:
    cost, votes = result("prefix_cache"), result("permutations")
    rows = [
        (
            orders,
            *(
                f"{cost['runs'][f'{orders}{way}']['prompt tokens computed']:,}"
                for way in ("", ", warm-up")
            ),
            f"{cost['runs'][orders]['seconds']:g}",
            share(votes["permutations"][orders]["accuracy"]),
            points(votes["permutations"][orders]["accuracy, difference"]),
            interval(votes["permutations"][orders]["moves by the seed"]),
            interval(votes["permutations"][orders]["moves by the seed, difference"]),
        )
        for orders in votes["permutations"]
    ]
    asked = cost["runs"]["8"]["prompt tokens asked"]
    heads = (
        *(
            "orders P",
            "tokens computed",
            "with warm-up",
            "s a group",
            "accuracy, %",
            "over P = 8, points",
        ),
        *("a reward moves by the seed, points", "over P = 8"),
    )
    return (
        "## Orders of the responses: what each costs and brings\n\n"
        f"`prefix_cache.py`, {where(cost)}: groups of {cost['responses']} responses of {cost['tokens']} tokens, k = "
        f"{cost['k']}, a tiny random judge of {cost['max_tokens']} tokens an answer in a CPU build of vLLM, which is sent {asked:,} "
        f"prompt tokens a group; medians of {cost['groups']} groups, one after the other. `permutations.py`, {where(votes)}: the "
        f"reference judge on {votes['groups']} held-out groups of {votes['responses']} at k = {votes['k']}, two seeds; its plan stands at "
        "its head and was written first. 95 % intervals, differences paired by group. "
        f"Beside both, {cost['note'] or 'nothing else ran'}.\n\n" + table(heads, rows)
    )


def place_bias() -> str:
    found = result("place_bias")
    claim = "balanced k = 4 over independent k = 8"
    ways = [f"{shuffle}, k = {k}" for k in (4, 8) for shuffle in ("independent", "balanced")]
    rows = [
        (
            name,
            *(f"{judge[way]['sd'][0]:.2f}, {judge[way]['accuracy'][0]:.1%}" for way in ways),
            interval(judge[claim]["sd ratio"]),
            points(judge[claim]["accuracy difference"]),
        )
        for name, judge in found["judges"].items()
    ]
    return (
        "## Balanced shuffles against a judge that goes by the place\n\n"
        f"`place_bias.py`, {where(found)}. **Simulated**: a score is the response's quality, what its place adds, and noise of "
        f"{found['noise']:g} points in every sample, rounded within 1..10; {found['groups']} groups of {found['responses']}, "
        f"{found['seeds']} seeds each. A bias is told by its shape and its standard deviation over the places. Cells: how far a "
        "reward moves when only the seed changes (standard deviation in points), and how often the best response wins. Balanced "
        "shuffles take the whole bias out of k = 4 samples; independent ones only average it. Four balanced samples are as "
        "steady as eight independent ones where the bias is as large as the noise of a sample, and steadier where it is larger; "
        "at the same k they lose nothing where there is no bias.\n\n"
        + table(
            ("bias", *ways, "SD, balanced 4 over independent 8", "accuracy, the same, points"), rows
        )
    )


def uneven_samples() -> str:
    found = result("uneven_samples")
    sizes = [name for name in found if name.startswith("N = ")]
    rows = [
        (
            size,
            way,
            f"{row['samples']:.1f}",
            *(_apart(row[measure]) for measure in ("error of centred", "error of normalised")),
            points(row["accuracy"][2:]),
        )
        for size in sizes
        for way, row in found[size].items()
        if isinstance(row, dict)
    ]
    groups = ", ".join(f"{found[size]['groups']} with {size}" for size in sizes)
    return (
        "## More samples for some groups than for others\n\n"
        f"`uneven_samples.py`, {where(found)}, on samples of the embedded judge for held-out groups ({groups}), "
        f"in {found['orders']} random orders: at most {found['cap']} of 64 samples are drawn, the others say what rewards "
        f"should have been. A budget is shared by {found['batch']} groups. Errors are squared, of rewards less their mean "
        "(points) and of the same divided by their spread, each with its difference from as many samples of every group; "
        "a part of them is the noise of what they are compared with. Accuracy, in points, against as many of every group. "
        "What follows from it: [decision 16](../decisions/0016-samples-end-early.md).\n\n"
        + table(("group", "way", "samples", "centred", "normalised", "best of N"), rows)
    )


def _apart(ends: Sequence[float]) -> str:
    """A value, and by how much it differs from another, with the interval."""
    value, _, apart, low, high = ends
    return f"{value:.3f}, {apart:+.3f} ({low:+.3f} to {high:+.3f})"


def expected_score() -> str:
    found = result("expected_score")
    shares = {
        "best wins, ties 1/m": "accuracy, ties random",
        "a tie is wrong": "accuracy, ties strict",
        "tie for the top": "tie for the top",
        "all rewards equal": "all equal",
        "spread below 0.01": "spread below 0.01",
    }
    rows = [
        (f"{k}: {name}", *map(share, measured[key].values()))
        for k, measured in found["k"].items()
        for name, key in shares.items()
    ]
    boxes, readable = found["boxes"], found["readable"]
    return (
        "## Expected scores against written ones\n\n"
        f"`expected_score.py`, {where(found)}; its plan stands at its head and was written first. The reference judge on "
        f"{found['groups']} held-out groups of {found['responses']}, {found['samples']} samples each: the contract `expected` "
        "and the contract `boxed` read the same texts. Percent of groups, and the difference in points, with 95 % intervals "
        "clustered by phrasing, paired by group. The judge writes its scores in the critique before it boxes them: "
        f"{boxes['above 0.99']:.0%} of the boxed numbers had more than 0.99 of the probability, "
        f"{boxes['mean probability']:.1%} in the mean. Readable: {readable['expected']:.1%} and {readable['boxed']:.1%}.\n\n"
        "So on this judge the expectation breaks ties, but no better than chance: where a tie of m counts 1/m, accuracy does "
        "not move at any k; only where a tie counts as wrong does it seem to. Groups that had no spread get one below 0.01, "
        "which says little and which dividing by the group's standard deviation would blow up.\n\n"
        + table(("k: share of groups", "expected", "boxed", "difference"), rows)
    )


def mt_bench_votes() -> str:
    found = result("mt_bench_votes")
    figures, ties = found["figures"], found["ties of pairs"]
    told = ("against one other", "against the mean of the two others", "gained by the second vote")
    names = list(dict.fromkeys(name.rsplit(", ", 1)[0] for name in figures))
    rows = [(name, *(_ends(figures[f"{name}, {one}"]) for one in told)) for name in names]
    dropped = ", ".join(f"{count} {reason}" for reason, count in found["dropped judgments"].items())
    return (
        "## Votes of a real judge, against judgments that did not vote\n\n"
        f"`mt_bench_votes.py`, {where(found)}. {found['answers']} answers to {found['instructions']} MT-Bench instructions, "
        "which GPT-4 graded three times each (1..5), replayed from a record and settled as votes of one and of two; "
        f"{found['with three readable judgments']} answers have three readable judgments (dropped: {dropped}). How one "
        "judgment goes with another, how it goes with the mean of the two others, and what the second vote brings; an order "
        "is that of two answers to one instruction, as the judgment that did not vote has it. 95 % intervals, clustered by "
        f"instruction. {_ends(found['reliability of one judgment'])} of the variance of one judgment lies between answers. "
        f"Of pairs, {ties['1']:.0%} tie by one judgment, {ties['2']:.0%} by two, {ties['3']:.0%} by three: much of what a vote "
        "brings where a tie counts as wrong. All this is agreement of a judge with itself, not with people.\n\n"
        + table(("", *told), rows)
    )


def _ends(found: Result) -> str:
    return f"{found['value']:.3f} ({found['low']:.3f} to {found['high']:.3f})"


def benchmark_rows() -> str:
    found = result("benchmark_rows")
    rows = [
        (
            f"`{name}`",
            f"{one['groups']:,}",
            ", ".join(f"{count:,} {what}" for what, count in sorted(one["outcomes"].items())),
            f"{one['processor s']:.1f}",
            " ".join(map(str, one["MB"])),
        )
        for name, one in found["letters"].items()
    ]
    refused = found["reference"].values()
    return (
        "## Every row of real benchmark data\n\n"
        f"`benchmark_rows.py`, {where(found)}, {found['note'] or 'nothing else ran'}. {found['groups']:,} groups through reader, prompt, "
        f"{found['k']} samples of a judge that scores by letters, parser, vote and outcome; each outcome is also counted from the "
        f"responses alone, and is the same. At most {found['most MB']} MB were resident "
        "(RMB unpacked; from its `.tar.xz` the decoder holds up to 64 MB more). The reference judge refuses all of RMB, "
        f"LLMBar and ReaLMistake, {sum(one['unscored']['refused'] for one in refused):,} groups, by name and without a token.\n\n"
        + table(("benchmark", "groups", "outcomes", "processor s", "MB, every 2,500 groups"), rows)
    )
