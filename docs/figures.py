"""The page of measured figures, from what `benchmarks/` saved."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"

Result = Mapping[str, Any]


def figures_page() -> str:
    """Every figure that this project claims, with the machine and the day."""
    return (
        "# Measured figures\n\n"
        "Every figure comes from a script in `benchmarks/`, which compares side by side in one run, and from "
        "the JSON that it left in `benchmarks/results/`. A shared machine is noisy: ratios within a run say "
        "more than seconds.\n\n" + "\n".join(section() for section in SECTIONS)
    )


def _policy() -> str:
    found = _result("policy_learning")
    rows = [
        (
            *_qualities(f"reward: {arm}", list(runs.values()), found["before"]),
            f"{statistics.fmean(run['gap']['growth'] for run in runs.values()):+.2f}",
            _minutes(runs.values()),
        )
        for arm, runs in found["arms"].items()
    ]
    table = _table(
        (*QUALITIES, "hacking gap grew by", "a run"), [(*_before(found), "", "", ""), *rows]
    )
    return (
        "## A policy learns from the judge\n\n"
        f"`policy_learning.py`, {_where(found)}. The tiny policy, trained by the real `trl grpo` with the recipes of "
        "`recipes/reference/grpo/`; true quality (0..1) of 300 answers to queries that no training used; mean, lowest and "
        "highest of the seeds. Bars are 95 % intervals over the queries. No judge sees true quality, except that the checker as a reward, the upper bound, is it. The "
        "hacking gap is judge reward minus true quality; it grows where a policy learns to please the judge.\n\n"
        f"{table}\n![Where each seed ended: true quality, and what the judge was deceived by](../images/policy_learning.png)\n\n"
        f"{_samples(found)}\n{_policy_of_openrlhf()}"
    )


def _policy_of_openrlhf() -> str:
    found = _result("openrlhf_learning")
    full, over = found["compared with"], found["true quality over it"]
    rows = [
        (
            *_qualities(f"reward: GRM, {arm}", list(runs.values()), found["before"]),
            _difference(over[arm]["train"]) if arm in over else "",
            _difference(over[arm]["heldout"]) if arm in over else "",
            f"{statistics.fmean(run['judge tokens out'] for run in runs.values()) / 1e6:.2f} million",
        )
        for arm, runs in found["arms"].items()
    ]
    runs = list(found["arms"][full].values())
    heads = (*QUALITIES, f"over {full}: fresh", "held-out", "judge's output tokens")
    return (
        f"The same with OpenRLHF: `openrlhf_learning.py`, {_where(found)}; the recipes of `recipes/reference/openrlhf/`, "
        f"{len(runs)} seeds of {len(runs[0]['reward'])} rollouts, the unmodified trainer on pretended GPUs, about "
        f"{_minutes(runs)} a run. A k that grows is 2, from rollout 14 on 4, from rollout 27 on 8. The difference to "
        f"{full} is that of the seeds' means, with a 95 % interval of a paired bootstrap over the queries: it says "
        "nothing about other seeds.\n\n"
        + _table(heads, [(*_before(found), "", "", "", ""), *rows])
        + "\n![True quality of rollouts, and against judge tokens](../images/openrlhf_learning.png)\n"
    )


def _difference(found: Result) -> str:
    return f"{found['value']:+.3f} ({found['low']:+.3f} to {found['high']:+.3f})"


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
        _mean_of(fresh),
        _mean_of(run["heldout"]["true quality"] for run in runs),
        f"{statistics.fmean(fresh) - before['train']['true quality']:+.2f}",
    ]


def _minutes(runs: Iterable[Result]) -> str:
    return f"{statistics.fmean(run['seconds'] for run in runs) / 60:.0f} min"


def _samples(found: Result) -> str:
    lines = [
        "Answers before and after the first seed's run with the GRM, k = 8, chosen by their gain:\n"
    ]
    for name, pair in found["samples"]["GRM, k = 8"].items():
        lines.append(f"- **{name}**: {_inline(pair['before']['query'])}")
        for when in ("before", "after"):
            one = pair[when]
            lines.append(f"  - {when}, {one['quality']:.2f}: `{one['response'] or ' '}`")
    return "\n".join(lines) + "\n"


def _pipeline() -> str:
    found = _result("pipeline")
    shape, stream = found["shape"], found["stream"]
    rows = [(stage, f"{times['median_ms']:.3f}") for stage, times in found["stages"].items()]
    return (
        "## What the pipeline costs beside the judge\n\n"
        f"`pipeline.py`, {_where(found)}. Milliseconds a sample with a judge that answers at once, "
        f"{shape['groups']:,} groups of {shape['responses']}, k = {shape['k']}; median of {shape['repeats']}. A stream of "
        f"{stream['groups']:,} groups stayed under {stream['peak_rss_mb']} MB.\n\n"
        + _table(("stage", "ms a sample"), rows)
    )


def _before_and_after() -> str:
    found = _result("pairs_pipeline")
    rows = [
        (
            name.split(" / ")[-2],
            f"{figure['before']:.3f}",
            f"{figure['after']:.3f}",
            _ratio(figure["ratio"], figure["ratio range"]),
        )
        for name, figure in found["figures"].items()
        if name.endswith("median_ms")
    ]
    return (
        "## The core rebuilt, against the one before\n\n"
        f"`pairs.py`, {_where(found)}, {found['note']}: `pipeline.py` of `{found['before']}` and of `{found['after']}` in turns, "
        f"{found['repeats']} runs of each. Milliseconds a sample. What an answer is read for grew (every family's thinking, boxes "
        "that disagree or are denied, frames of the judge's own), and so did what is defused; `vote` is now the whole way from "
        "judgments to rewards, `parse` from a draw to a judgment.\n\n"
        + _table(("stage", "before, ms", "after, ms", "ratio (lowest to highest)"), rows)
        + "\n"
        + _engine_before_and_after()
    )


def _engine_before_and_after() -> str:
    found = _result("pairs_transformers_engine")
    sampled = found["figures"]["sampled / wall / ratio"]
    return (
        f"The `transformers` engine against bare `generate`, {found['repeats']} runs of `{found['before']}` and "
        f"`{found['after']}` in turns, {_where(found)}, {found['note']}: {sampled['before']:.3f} before and "
        f"{sampled['after']:.3f} after, ratio {_ratio(sampled['ratio'], sampled['ratio range'])}.\n"
    )


def _engines() -> str:
    local, server = _result("transformers_engine"), _result("server_engine")
    wall = local["sampled"]["wall"]
    rows = [
        (
            "`transformers` against bare `generate`",
            _ratio(wall["ratio"], wall["ratio range"]),
            local["repeats"],
        ),
        *(
            (
                f"`server` against raw requests to a vLLM server, {number} permutations",
                _ratio(run["throughput ratio"], run["ratio range"]),
                server["repeats"],
            )
            for number, run in server["runs"].items()
        ),
    ]
    return (
        "## Engines against what they drive\n\n"
        f"`transformers_engine.py` (time, {_where(local)}) and `server_engine.py` (throughput, {_where(server)}; "
        f"{server['groups']} groups of {server['responses']}, k = {server['k']}); a tiny model, CPU builds. No GPU was at hand.\n\n"
        + _table(("engine", "ratio (lowest to highest)", "repeats"), rows)
    )


def _gpu_check() -> str:
    found = _result("gpu_check")
    rows = [
        (
            name,
            part.get("told") or f"failed: {part['failed']}",
            part.get("peak GB", ""),
            part.get("took s", ""),
        )
        for name, part in found["parts"].items()
    ]
    where = (
        f"On one {found['gpu']}."
        if found["gpu"]
        else "No GPU was at hand: this is the small form on the processor, whose judge is tiny. It shows that the script "
        "runs; its shares say nothing about a GPU."
    )
    return (
        "## Is my installation right and fast?\n\n"
        "`python benchmarks/gpu_check.py` on a machine with one GPU takes less than eight minutes and downloads nothing: "
        "greedy texts of the reference judge on the GPU and on the processor, judges of the shapes of Qwen2.5-1.5B and -7B "
        "with random weights beside bare `generate` and beside raw requests to vLLM, steps of GRPO with the judge and with "
        f"a plain function, memory.\n\n{where} `gpu_check.py`, {_where(found)}.\n\n"
        + _table(("part", "found", "peak GB", "took s"), rows)
    )


def _local_batches() -> str:
    found = _result("local_batches")
    new, old = found["padding"]["default"], found["padding"]["one batch"]
    heads = ("nucleus", "words in it", "`top_p` 1", "`top_p` 0.95", "the sort that it had before")
    rows = [
        (name, f"{at['words in it']:,}", *list(at.values())[1:])
        for name, at in found["top_p"].items()
    ]
    return (
        "## Padding and `top_p` in the `transformers` engine\n\n"
        f"`local_batches.py`, {_where(found)}; a tiny judge, and {found['note'] or 'nothing else ran'}. 13 prompts of "
        f"{found['short']} words and one of {found['long']:,}, {found['max_tokens']} tokens each: {old['s']:g} s "
        f"({old['processor s']:g} s of the processor) and {old['MB']:,} MB in one padded batch, as before; {new['s']:g} s "
        f"({new['processor s']:g} s) and {new['MB']:,} MB where padding is bounded.\n\n"
        f"One step of the sampler for {found['rows']} rows over {found['words']:,} words, in milliseconds of the processor. "
        "Until now a step below `top_p` 1 took the step at 1 and the sort:\n\n"
        + _table(heads, rows)
    )


def _orders() -> str:
    cost, votes = _result("prefix_cache"), _result("permutations")
    rows = [
        (
            orders,
            *(
                f"{cost['runs'][f'{orders}{way}']['prompt tokens computed']:,}"
                for way in ("", ", warm-up")
            ),
            f"{cost['runs'][orders]['seconds']:g}",
            _share(votes["permutations"][orders]["accuracy"]),
            _points(votes["permutations"][orders]["accuracy, difference"]),
            _interval(votes["permutations"][orders]["moves by the seed"]),
            _interval(votes["permutations"][orders]["moves by the seed, difference"]),
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
        f"`prefix_cache.py`, {_where(cost)}: groups of {cost['responses']} responses of {cost['tokens']} tokens, k = "
        f"{cost['k']}, a tiny random judge of {cost['max_tokens']} tokens an answer in a CPU build of vLLM, which is sent {asked:,} "
        f"prompt tokens a group; medians of {cost['groups']} groups, one after the other. `permutations.py`, {_where(votes)}: the "
        f"reference judge on {votes['groups']} held-out groups of {votes['responses']} at k = {votes['k']}, two seeds; its plan stands at "
        "its head and was written first. 95 % intervals, differences paired by group. "
        f"Beside both, {cost['note'] or 'nothing else ran'}.\n\n" + _table(heads, rows)
    )


def _group_call() -> str:
    found = _result("group_call")
    rows = [
        (what, *(f"{found[what][way]:,}" for way in ("one call of 8", "8 calls of 1", "ratio")))
        for what in ("prompt tokens", "output tokens", "seconds")
    ]
    return (
        "## One call for a group against one for each response\n\n"
        f"`group_call.py`, {_where(found)}; the reference judge, {found['groups']} groups of {found['responses']}.\n\n"
        + _table(("", "one call of 8", "8 calls of 1", "ratio"), rows)
    )


def _trl() -> str:
    overhead, calls = _result("trl_overhead"), _result("calls_in_flight")
    ms, extra = overhead["median ms"], overhead["extra ms of a call"]
    ratio = overhead["step ratio, same tokens"]
    rows = [
        (what, f"{times['step s']:.2f}", f"{times['judging s']:.2f}", times["most in flight"])
        for what, times in calls["calls in flight"].items()
    ]
    return (
        "## TRL\n\n"
        f"`trl_overhead.py`, {_where(overhead)}. GRPO with `GRMReward` on a recorded judge against a plain Python reward, "
        f"{overhead['prompts']} groups of {overhead['responses']} a step, k = {overhead['k']}: the call takes "
        f"{ms['call of GRMReward']:.1f} ms in place of {ms['call of the plain reward']:.2f}, {extra['a group']:.2f} ms a group; that is "
        f"{overhead['extra ms over median step']:.1%} of this step of {ms['step with a plain reward'] / 1000:.2f} s. The ratio of whole steps is "
        f"{ratio['mean']:.3f} ({ratio['mean, low']:.3f} to {ratio['mean, high']:.3f}).\n\n"
        f"`calls_in_flight.py`, {_where(calls)}: a judge that takes {calls['delay_s']} s, {calls['prompts']} groups, k = {calls['k']}.\n\n"
        + _table(("calls in flight", "step, s", "judging, s", "most seen"), rows)
    )


def _openrlhf() -> str:
    hidden = _result("judging_hidden")
    rows = [
        (
            name,
            *(f"{part[what]:.2f}" for what in ("rollout s", "rollout and judging s", "wall s")),
            f"{part['hidden']:.0%} ({min(part['hidden, all repeats']):.0%} to {max(part['hidden, all repeats']):.0%})",
        )
        for name, part in hidden.items()
        if name.endswith("in flight")
    ]
    return (
        "## OpenRLHF: judging hidden behind rollout\n\n"
        f"`judging_hidden.py`, {_where(hidden)}. A judge as slow as the rollout itself, {hidden['prompts']} prompts; the share of "
        f"judging time that costs no wall time, median of {hidden['repeats']}.\n\n"
        + _table(
            (
                "prompts",
                "rollout, s",
                "one after the other, s",
                "together, s",
                "hidden (lowest to highest)",
            ),
            rows,
        )
    )


def _reward_server() -> str:
    fixed, real = _result("reward_server"), _result("reward_server_vllm")
    return (
        "## `grm serve` over the judge server alone\n\n"
        f"`reward_server.py`, {_where(fixed)}; client, judge and server share them. A stand-in that answers after "
        f"{fixed['delay_s']:g} s, so that all that differs is ours; groups of {fixed['responses']}, k = {fixed['k']}, median of "
        f"{fixed['repeats']}.\n\n" + _latencies(fixed) + "\n"
        f"The same over a real `vllm serve` with the reference judge, {_where(real)}; groups of {real['responses']}, k = {real['k']}. "
        "The judge takes the cores that the server needs, and its own times vary by more than what is added.\n\n"
        + _latencies(real)
    )


def _page_of_verdicts() -> str:
    found = _result("page_of_verdicts")
    row = (
        f"{found['verdicts']:,}",
        found["samples"],
        f"{found['record MB']:,}",
        found["processor seconds"],
        found["seconds"],
        found["peak MB"],
        found["page MB"],
        f"{found['files MB']} in {found['files']} files",
    )
    heads = (
        *("verdicts", "samples", "record, MB", "processor seconds", "wall seconds"),
        *("peak memory, MB", "page, MB", "details beside it, MB"),
    )
    return (
        "## A page of many verdicts\n\n"
        f"`page_of_verdicts.py`, {_where(found)}; one process; beside it: {found['note'] or 'nothing else'}. Verdicts varied from "
        "records of the reference judge are read from a record and written as a page to look at, checks of the record and "
        "passages of critiques included.\n\n" + _table(heads, [row])
    )


def _report_of_verdicts() -> str:
    found = _result("report_of_verdicts")
    rows = [
        (f"`grm report`: {way}", one["seconds"], one["processor seconds"], one["peak MB"])
        for way, one in found["ways"].items()
    ]
    return (
        "## A report of many verdicts\n\n"
        f"`report_of_verdicts.py`, {_where(found)}, one of them for this: {found['verdicts']:,} verdicts of {found['samples']} samples "
        f"({found['record MB']} MB), made as for the page above.\n\n"
        + _table(("what", "wall seconds", "processor seconds", "peak memory, MB"), rows)
    )


def _soak() -> str:
    found = _result("soak")
    before, after = found["memory_mb"]
    rows = [
        (
            f"{found['calls']:,}",
            f"{found['calls_per_s']:.0f}",
            f"{found['p50_s']:.2f}",
            f"{found['p99_s']:.2f}",
            found["judges_killed"],
            found["wrong"],
            found["lost"],
            f"{before:.1f} to {after:.1f}",
        )
    ]
    heads = ("calls", "a second", "p50, s", "p99, s", "judges killed", "wrong", "lost", "MB")
    return (
        "## A soak of `grm serve`\n\n"
        f"`soak.py`, {_where(found)}; {found['callers']} callers, two judges and the server share them; beside it: "
        f"{found['note'] or 'nothing else'}. A quarter of the groups come whole, the others as single responses; callers "
        "drip their bodies, stop in the middle or go, and one judge or the other is killed two seconds after the last one was started again. A "
        "call is wrong when its rewards are not those of its responses, and lost when it has none in the end. The memory is "
        f"the server's, over the last {found['memory_over_calls']:,} calls.\n\n"
        + _table(heads, rows)
    )


def _latencies(found: Result) -> str:
    rows = [
        (
            groups,
            f"{run['served groups per s']:.1f} of {run['raw groups per s']:.1f}",
            f"{run['p50 raw ms']:,.0f}",
            _ratio(run["p50 added ms"], run["p50 added ms, range"]),
            _ratio(run["p99 added ms"], run["p99 added ms, range"]),
        )
        for groups, run in found["runs"].items()
    ]
    heads = ("groups at a time", "groups a second", "p50 raw, ms", "p50 added, ms", "p99 added, ms")
    return _table(heads, rows)


def _place_bias() -> str:
    found = _result("place_bias")
    claim = "balanced k = 4 over independent k = 8"
    ways = [f"{shuffle}, k = {k}" for k in (4, 8) for shuffle in ("independent", "balanced")]
    rows = [
        (
            name,
            *(f"{judge[way]['sd'][0]:.2f}, {judge[way]['accuracy'][0]:.1%}" for way in ways),
            _interval(judge[claim]["sd ratio"]),
            _points(judge[claim]["accuracy difference"]),
        )
        for name, judge in found["judges"].items()
    ]
    return (
        "## Balanced shuffles against a judge that goes by the place\n\n"
        f"`place_bias.py`, {_where(found)}. **Simulated**: a score is the response's quality, what its place adds, and noise of "
        f"{found['noise']:g} points in every sample, rounded within 1..10; {found['groups']} groups of {found['responses']}, "
        f"{found['seeds']} seeds each. A bias is told by its shape and its standard deviation over the places. Cells: how far a "
        "reward moves when only the seed changes (standard deviation in points), and how often the best response wins. Balanced "
        "shuffles take the whole bias out of k = 4 samples; independent ones only average it. Four balanced samples are as "
        "steady as eight independent ones where the bias is as large as the noise of a sample, and steadier where it is larger; "
        "at the same k they lose nothing where there is no bias.\n\n"
        + _table(
            ("bias", *ways, "SD, balanced 4 over independent 8", "accuracy, the same, points"), rows
        )
    )


def _uneven_samples() -> str:
    found = _result("uneven_samples")
    sizes = [name for name in found if name.startswith("N = ")]
    rows = [
        (
            size,
            way,
            f"{row['samples']:.1f}",
            *(_apart(row[measure]) for measure in ("error of centred", "error of normalised")),
            _points(row["accuracy"][2:]),
        )
        for size in sizes
        for way, row in found[size].items()
        if isinstance(row, dict)
    ]
    groups = ", ".join(f"{found[size]['groups']} with {size}" for size in sizes)
    return (
        "## More samples for some groups than for others\n\n"
        f"`uneven_samples.py`, {_where(found)}, on samples of the embedded judge for held-out groups ({groups}), "
        f"in {found['orders']} random orders: at most {found['cap']} of 64 samples are drawn, the others say what rewards "
        f"should have been. A budget is shared by {found['batch']} groups. Errors are squared, of rewards less their mean "
        "(points) and of the same divided by their spread, each with its difference from as many samples of every group; "
        "a part of them is the noise of what they are compared with. Accuracy, in points, against as many of every group. "
        "What follows from it: [decision 16](../decisions/0016-samples-end-early.md).\n\n"
        + _table(("group", "way", "samples", "centred", "normalised", "best of N"), rows)
    )


def _apart(ends: Sequence[float]) -> str:
    """A value, and by how much it differs from another, with the interval."""
    value, _, apart, low, high = ends
    return f"{value:.3f}, {apart:+.3f} ({low:+.3f} to {high:+.3f})"


def _expected_score() -> str:
    found = _result("expected_score")
    shares = {
        "best wins, ties 1/m": "accuracy, ties random",
        "a tie is wrong": "accuracy, ties strict",
        "tie for the top": "tie for the top",
        "all rewards equal": "all equal",
        "spread below 0.01": "spread below 0.01",
    }
    rows = [
        (f"{k}: {name}", *map(_share, measured[key].values()))
        for k, measured in found["k"].items()
        for name, key in shares.items()
    ]
    boxes, readable = found["boxes"], found["readable"]
    return (
        "## Expected scores against written ones\n\n"
        f"`expected_score.py`, {_where(found)}; its plan stands at its head and was written first. The reference judge on "
        f"{found['groups']} held-out groups of {found['responses']}, {found['samples']} samples each: the contract `expected` "
        "and the contract `boxed` read the same texts. Percent of groups, and the difference in points, with 95 % intervals "
        "clustered by phrasing, paired by group. The judge writes its scores in the critique before it boxes them: "
        f"{boxes['above 0.99']:.0%} of the boxed numbers had more than 0.99 of the probability, "
        f"{boxes['mean probability']:.1%} in the mean. Readable: {readable['expected']:.1%} and {readable['boxed']:.1%}.\n\n"
        "So on this judge the expectation breaks ties, but no better than chance: where a tie of m counts 1/m, accuracy does "
        "not move at any k; only where a tie counts as wrong does it seem to. Groups that had no spread get one below 0.01, "
        "which says little and which dividing by the group's standard deviation would blow up.\n\n"
        + _table(("k: share of groups", "expected", "boxed", "difference"), rows)
    )


def _mt_bench_votes() -> str:
    found = _result("mt_bench_votes")
    figures, ties = found["figures"], found["ties of pairs"]
    told = ("against one other", "against the mean of the two others", "gained by the second vote")
    names = list(dict.fromkeys(name.rsplit(", ", 1)[0] for name in figures))
    rows = [(name, *(_ends(figures[f"{name}, {one}"]) for one in told)) for name in names]
    dropped = ", ".join(f"{count} {reason}" for reason, count in found["dropped judgments"].items())
    return (
        "## Votes of a real judge, against judgments that did not vote\n\n"
        f"`mt_bench_votes.py`, {_where(found)}. {found['answers']} answers to {found['instructions']} MT-Bench instructions, "
        "which GPT-4 graded three times each (1..5), replayed from a record and settled as votes of one and of two; "
        f"{found['with three readable judgments']} answers have three readable judgments (dropped: {dropped}). How one "
        "judgment goes with another, how it goes with the mean of the two others, and what the second vote brings; an order "
        "is that of two answers to one instruction, as the judgment that did not vote has it. 95 % intervals, clustered by "
        f"instruction. {_ends(found['reliability of one judgment'])} of the variance of one judgment lies between answers. "
        f"Of pairs, {ties['1']:.0%} tie by one judgment, {ties['2']:.0%} by two, {ties['3']:.0%} by three: much of what a vote "
        "brings where a tie counts as wrong. All this is agreement of a judge with itself, not with people.\n\n"
        + _table(("", *told), rows)
    )


def _ends(found: Result) -> str:
    return f"{found['value']:.3f} ({found['low']:.3f} to {found['high']:.3f})"


def _benchmark_rows() -> str:
    found = _result("benchmark_rows")
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
        f"`benchmark_rows.py`, {_where(found)}, {found['note'] or 'nothing else ran'}. {found['groups']:,} groups through reader, prompt, "
        f"{found['k']} samples of a judge that scores by letters, parser, vote and outcome; each outcome is also counted from the "
        f"responses alone, and is the same. At most {found['most MB']} MB were resident "
        "(RMB unpacked; from its `.tar.xz` the decoder holds up to 64 MB more). The reference judge refuses all of RMB, "
        f"LLMBar and ReaLMistake, {sum(one['unscored']['refused'] for one in refused):,} groups, by name and without a token.\n\n"
        + _table(("benchmark", "groups", "outcomes", "processor s", "MB, every 2,500 groups"), rows)
    )


def _share(ends: Sequence[float]) -> str:
    value, low, high = (100 * end for end in ends)
    return f"{value:.1f} ({low:.1f} to {high:.1f})"


def _interval(ends: Sequence[float]) -> str:
    return f"{ends[0]:.2f} ({ends[1]:.2f} to {ends[2]:.2f})"


def _points(ends: Sequence[float]) -> str:
    """A difference of shares in percentage points."""
    value, low, high = (100 * end for end in ends)
    return f"{value:+.1f} ({low:+.1f} to {high:+.1f})"


SECTIONS = (
    _policy,
    _pipeline,
    _before_and_after,
    _engines,
    _place_bias,
    _uneven_samples,
    _expected_score,
    _orders,
    _local_batches,
    _gpu_check,
    _group_call,
    _trl,
    _openrlhf,
    _reward_server,
    _soak,
    _page_of_verdicts,
    _report_of_verdicts,
    _mt_bench_votes,
    _benchmark_rows,
)


def _result(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return found


def _where(found: Result) -> str:
    on = found["conditions"]
    return f"{on['date']}, {on['cores']} shared cores of an {on['processor']}"


def _table(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    heads = list(head)
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)


def _mean_of(values: Iterable[float]) -> str:
    found = list(values)
    return f"{statistics.fmean(found):.2f} ({min(found):.2f} to {max(found):.2f})"


def _ratio(value: float, ends: tuple[float, float]) -> str:
    return f"{value:g} ({ends[0]:g} to {ends[1]:g})"


def _inline(text: str) -> str:
    return " ".join(text.split())
