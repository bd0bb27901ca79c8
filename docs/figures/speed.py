"""What the pipeline and the engines take."""

from __future__ import annotations

from docs.figures.cells import Result, inline, ratio, result, table, where


def samples(found: Result) -> str:
    lines = [
        "Answers before and after the first seed's run with the GRM, k = 8, chosen by their gain:\n"
    ]
    for name, pair in found["samples"]["GRM, k = 8"].items():
        lines.append(f"- **{name}**: {inline(pair['before']['query'])}")
        for when in ("before", "after"):
            one = pair[when]
            lines.append(f"  - {when}, {one['quality']:.2f}: `{one['response'] or ' '}`")
    return "\n".join(lines) + "\n"


def pipeline() -> str:
    found = result("pipeline")
    shape, stream = found["shape"], found["stream"]
    rows = [(stage, f"{times['median_ms']:.3f}") for stage, times in found["stages"].items()]
    return (
        "## What the pipeline costs beside the judge\n\n"
        f"`pipeline.py`, {where(found)}. Milliseconds a sample with a judge that answers at once, "
        f"{shape['groups']:,} groups of {shape['responses']}, k = {shape['k']}; median of {shape['repeats']}. A stream of "
        f"{stream['groups']:,} groups stayed under {stream['peak_rss_mb']} MB.\n\n"
        + table(("stage", "ms a sample"), rows)
    )


def before_and_after() -> str:
    found = result("pairs_pipeline")
    rows = [
        (
            name.split(" / ")[-2],
            f"{figure['before']:.3f}",
            f"{figure['after']:.3f}",
            ratio(figure["ratio"], figure["ratio range"]),
        )
        for name, figure in found["figures"].items()
        if name.endswith("median_ms")
    ]
    return (
        "## The core rebuilt, against the one before\n\n"
        f"`pairs.py`, {where(found)}, {found['note']}: `pipeline.py` of `{found['before']}` and of `{found['after']}` in turns, "
        f"{found['repeats']} runs of each. Milliseconds a sample. What an answer is read for grew (every family's thinking, boxes "
        "that disagree or are denied, frames of the judge's own), and so did what is defused; `vote` is now the whole way from "
        "judgments to rewards, `parse` from a draw to a judgment.\n\n"
        + table(("stage", "before, ms", "after, ms", "ratio (lowest to highest)"), rows)
        + "\n"
        + _engine_before_and_after()
    )


def _engine_before_and_after() -> str:
    found = result("pairs_transformers_engine")
    sampled = found["figures"]["sampled / wall / ratio"]
    return (
        f"The `transformers` engine against bare `generate`, {found['repeats']} runs of `{found['before']}` and "
        f"`{found['after']}` in turns, {where(found)}, {found['note']}: {sampled['before']:.3f} before and "
        f"{sampled['after']:.3f} after, ratio {ratio(sampled['ratio'], sampled['ratio range'])}.\n"
    )


def engines() -> str:
    local, server = result("transformers_engine"), result("server_engine")
    wall = local["sampled"]["wall"]
    rows = [
        (
            "`transformers` against bare `generate`",
            ratio(wall["ratio"], wall["ratio range"]),
            local["repeats"],
        ),
        *(
            (
                f"`server` against raw requests to a vLLM server, {number} permutations",
                ratio(run["throughput ratio"], run["ratio range"]),
                server["repeats"],
            )
            for number, run in server["runs"].items()
        ),
    ]
    return (
        "## Engines against what they drive\n\n"
        f"`transformers_engine.py` (time, {where(local)}) and `server_engine.py` (throughput, {where(server)}; "
        f"{server['groups']} groups of {server['responses']}, k = {server['k']}); a tiny model, CPU builds. No GPU was at hand.\n\n"
        + table(("engine", "ratio (lowest to highest)", "repeats"), rows)
    )


def gpu_check() -> str:
    found = result("gpu_check")
    rows = [
        (
            name,
            part.get("told") or f"failed: {part['failed']}",
            part.get("peak GB", ""),
            part.get("took s", ""),
        )
        for name, part in found["parts"].items()
    ]
    device = (
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
        f"a plain function, memory.\n\n{device} `gpu_check.py`, {where(found)}.\n\n"
        + table(("part", "found", "peak GB", "took s"), rows)
    )


def local_batches() -> str:
    found = result("local_batches")
    new, old = found["padding"]["default"], found["padding"]["one batch"]
    heads = ("nucleus", "words in it", "`top_p` 1", "`top_p` 0.95", "the sort that it had before")
    rows = [
        (name, f"{at['words in it']:,}", *list(at.values())[1:])
        for name, at in found["top_p"].items()
    ]
    return (
        "## Padding and `top_p` in the `transformers` engine\n\n"
        f"`local_batches.py`, {where(found)}; a tiny judge, and {found['note'] or 'nothing else ran'}. 13 prompts of "
        f"{found['short']} words and one of {found['long']:,}, {found['max_tokens']} tokens each: {old['s']:g} s "
        f"({old['processor s']:g} s of the processor) and {old['MB']:,} MB in one padded batch, as before; {new['s']:g} s "
        f"({new['processor s']:g} s) and {new['MB']:,} MB where padding is bounded.\n\n"
        f"One step of the sampler for {found['rows']} rows over {found['words']:,} words, in milliseconds of the processor. "
        "Until now a step below `top_p` 1 took the step at 1 and the sort:\n\n" + table(heads, rows)
    )


def group_call() -> str:
    found = result("group_call")
    rows = [
        (what, *(f"{found[what][way]:,}" for way in ("one call of 8", "8 calls of 1", "ratio")))
        for what in ("prompt tokens", "output tokens", "seconds")
    ]
    return (
        "## One call for a group against one for each response\n\n"
        f"`group_call.py`, {where(found)}; the reference judge, {found['groups']} groups of {found['responses']}.\n\n"
        + table(("", "one call of 8", "8 calls of 1", "ratio"), rows)
    )
