"""What policies became that learned from a GRM, from a scalar RM, and from mixes of the two."""

from __future__ import annotations

from docs.figures.cells import Result, estimate, result, share, table

_COSTS = ("flops", "tokens", "seconds")


def coscaling() -> str:
    found = result("coscaling")
    return (
        "## A GRM against a scalar RM of the same size\n\n"
        "`recipes.coscaling.study`, by a [protocol](../decisions/0023-grm-against-a-scalar-rm.md) that was written first; there stands what "
        f"it came to. {found['note']} True quality (0..1) of answers to 700 held-out queries; means over seeds with 95 % intervals (Student's "
        "t), paired by seed where a difference is meant. Claims and aims were set beforehand.\n\n"
        + table(("claim", "difference", "each seed", "aim", "beside"), map(_claim, found["claims"]))
        + _holm(found)
        + "\n![True quality of policies, at equal steps and at equal judge FLOPs](../images/coscaling.png)\n\n"
        "Every arm after 40 rounds of 128 responses, and where it had cost what `growing` cost in its 40 rounds. Peak: at the step that "
        "tuning queries liked best. Reward beyond truth: growth of the reward beyond what its regression on true quality explains, in "
        "standard deviations of the rewards of the start; correlation: of both inside groups of the policy's own responses, in the last five rounds.\n\n"
        + _arms(found)
        + "\n![Reward beyond what true quality explains, and what the reward still knows, by round](../images/coscaling_gap.png)\n\n"
        + _costs(found)
        + "\nThe scalar RMs, on held-out pairs that the checker tells apart:\n\n"
        + _scalar_rms(found)
        + _missing(found)
    )


def _claim(one: Result) -> tuple[str, ...]:
    seeds = ", ".join(f"{value:+.3f}" for value in one["seeds"].values())
    told = one["open"] or ("met" if one["holds"] else "**not met**")
    beside = ", ".join(f"{name}: {_signed(value)}" for name, value in one["beside"].items())
    return one["name"], _signed(one["found"]), seeds, f"{told}: {one['aim']}", beside


def _holm(found: Result) -> str:
    unsure = ", ".join(found["not by Holm's rule"]) or "none"
    return f"\nDifferences that are met alone, and not by Holm's rule over the four: {unsure}.\n"


def _arms(found: Result) -> str:
    heads = ("arm", "seeds", "final", "sd", "peak", "mean", *(f"at equal {one}" for one in _COSTS))
    more = ("reward beyond truth, sd", "correlation", "alarms a run")
    rows = [
        (
            name,
            one["seeds"],
            estimate(one["final"], ".3f"),
            f"{one['deviation']:.3f}" if one["seeds"] > 1 else "",
            *(f"{one[reading]['value']:.3f}" for reading in ("peak", "mean")),
            *(_value(one["equal"].get(cost)) for cost in _COSTS),
            _signed(one["gap"]),
            _value(one["correlation"]),
            f"{one['alarms']:.1f}",
        )
        for name, one in found["arms"].items()
    ]
    start = next(iter(found["arms"].values()))["start"]
    return f"Before training: {start:.3f}.\n\n" + table((*heads, *more), rows)


def _costs(found: Result) -> str:
    rates = found["exchange rates"]
    rows = [
        (name, _cost(one["megaflops"], 1), _cost(one["milliseconds"], 1), *_rates(rates.get(name)))
        for name, one in found["arms"].items()
    ]
    heads = ("arm", "MFLOP", "core-ms, all", "FLOPs of judging", "seconds of judging")
    return (
        "What a response costs: FLOPs of everything that judges, and seconds of a core for the whole run; then judging alone in "
        "units of `scalar`.\n\n" + table(heads, rows)
    )


def _rates(one: Result | None) -> tuple[str, str]:
    told = one or {}
    return _cost(told.get("flops"), 1), _cost(told.get("seconds"), 1)


def _scalar_rms(found: Result) -> str:
    rows = [
        (
            name,
            one["steps"],
            f"{one['loss']:.3f}",
            share([one["accuracy"][end] for end in ("value", "low", "high")]),
        )
        for name, one in found["scalar RMs"].items()
    ]
    by = found["gained by twice the passes"]
    flat = "" if by is None else f"\nTwice the passes lower the loss by {by:.3f} nats.\n"
    return table(("scalar RM", "steps", "loss, nats", "in their order, %"), rows) + flat


def _missing(found: Result) -> str:
    lacking = [f"{name} {', '.join(map(str, one))}" for name, one in found["missing"].items()]
    return f"\nArms and seeds that were not run: {'; '.join(lacking)}.\n" if lacking else ""


def _signed(one: Result) -> str:
    if one["low"] == one["high"]:
        return f"{one['value']:.2f}"
    return estimate(one, "+.3f")


def _value(one: Result | None) -> str:
    return "" if one is None else f"{one['value']:.3f}"


def _cost(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"
