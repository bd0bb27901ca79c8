"""What scoring takes inside a trainer, behind a server, over many steps, and what looking at it takes."""

from __future__ import annotations

from docs.figures.cells import Result, ratio, result, table, where


def trl() -> str:
    overhead, calls = result("trl_overhead"), result("calls_in_flight")
    ms, extra = overhead["median ms"], overhead["extra ms of a call"]
    steps = overhead["step ratio, same tokens"]
    rows = [
        (what, f"{times['step s']:.2f}", f"{times['judging s']:.2f}", times["most in flight"])
        for what, times in calls["calls in flight"].items()
    ]
    return (
        "## TRL\n\n"
        f"`trl_overhead.py`, {where(overhead)}. GRPO with `GRMReward` on a recorded judge against a plain Python reward, "
        f"{overhead['prompts']} groups of {overhead['responses']} a step, k = {overhead['k']}: the call takes "
        f"{ms['call of GRMReward']:.1f} ms in place of {ms['call of the plain reward']:.2f}, {extra['a group']:.2f} ms a group; that is "
        f"{overhead['extra ms over median step']:.1%} of this step of {ms['step with a plain reward'] / 1000:.2f} s. The ratio of whole steps is "
        f"{steps['mean']:.3f} ({steps['mean, low']:.3f} to {steps['mean, high']:.3f}).\n\n"
        f"`calls_in_flight.py`, {where(calls)}: a judge that takes {calls['delay_s']} s, {calls['prompts']} groups, k = {calls['k']}.\n\n"
        + table(("calls in flight", "step, s", "judging, s", "most seen"), rows)
    )


def openrlhf() -> str:
    hidden = result("judging_hidden")
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
        f"`judging_hidden.py`, {where(hidden)}. A judge as slow as the rollout itself, {hidden['prompts']} prompts; the share of "
        f"judging time that costs no wall time, median of {hidden['repeats']}.\n\n"
        + table(
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


def reward_server() -> str:
    fixed, real = result("reward_server"), result("reward_server_vllm")
    return (
        "## `grm serve` over the judge server alone\n\n"
        f"`reward_server.py`, {where(fixed)}; client, judge and server share them. A stand-in that answers after "
        f"{fixed['delay_s']:g} s, so that all that differs is ours; groups of {fixed['responses']}, k = {fixed['k']}, median of "
        f"{fixed['repeats']}.\n\n" + _latencies(fixed) + "\n"
        f"The same over a real `vllm serve` with the reference judge, {where(real)}; groups of {real['responses']}, k = {real['k']}. "
        "The judge takes the cores that the server needs, and its own times vary by more than what is added.\n\n"
        + _latencies(real)
    )


def soak() -> str:
    found = result("soak")
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
        f"`soak.py`, {where(found)}; {found['callers']} callers, two judges and the server share them; beside it: "
        f"{found['note'] or 'nothing else'}. A quarter of the groups come whole, the others as single responses; callers "
        "drip their bodies, stop in the middle or go, and one judge or the other is killed two seconds after the last one was started again. A "
        "call is wrong when its rewards are not those of its responses, and lost when it has none in the end. The memory is "
        f"the server's, over the last {found['memory_over_calls']:,} calls.\n\n"
        + table(heads, rows)
    )


def _latencies(found: Result) -> str:
    rows = [
        (
            groups,
            f"{run['served groups per s']:.1f} of {run['raw groups per s']:.1f}",
            f"{run['p50 raw ms']:,.0f}",
            ratio(run["p50 added ms"], run["p50 added ms, range"]),
            ratio(run["p99 added ms"], run["p99 added ms, range"]),
        )
        for groups, run in found["runs"].items()
    ]
    heads = ("groups at a time", "groups a second", "p50 raw, ms", "p50 added, ms", "p99 added, ms")
    return table(heads, rows)


def page_of_verdicts() -> str:
    found = result("page_of_verdicts")
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
        f"`page_of_verdicts.py`, {where(found)}; one process; beside it: {found['note'] or 'nothing else'}. Verdicts varied from "
        "records of the reference judge are read from a record and written as a page to look at, checks of the record and "
        "passages of critiques included.\n\n" + table(heads, [row])
    )


def report_of_verdicts() -> str:
    found = result("report_of_verdicts")
    rows = [
        (f"`grm report`: {way}", one["seconds"], one["processor seconds"], one["peak MB"])
        for way, one in found["ways"].items()
    ]
    return (
        "## A report of many verdicts\n\n"
        f"`report_of_verdicts.py`, {where(found)}, one of them for this: {found['verdicts']:,} verdicts of {found['samples']} samples "
        f"({found['record MB']} MB), made as for the page above.\n\n"
        + table(("what", "wall seconds", "processor seconds", "peak memory, MB"), rows)
    )
