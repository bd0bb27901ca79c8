"""How often onset and level alarm in clean runs, and how soon after a bias begins: simulated runs.

    python benchmarks/watch_alarms.py --clean 300 --biased 100

A policy whose true quality is known gets better over 300 steps; a judge and a control judge see it
with errors of their own, on a scale of 1 to 10 where both saturate. In clean runs every alarm is
false. In the others the judge begins at step 150 to reward something worthless, which the policy
then learns to do; the delay is counted from there. A run's seed decides everything in it. The other
alarms, of the correlation inside groups and of artefacts, are not simulated.
"""

from __future__ import annotations

import argparse
import math
import random
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from machine import RESULTS, save

from grm_plugin.watching.compared import Compared
from grm_plugin.watching.drift import Drift
from grm_plugin.watching.start import Starting

STEPS, ONSET, START = 300, 150, 20


@dataclass(frozen=True)
class World:
    """A policy and its two judges; quality is in standard deviations of a response at the start.

    Args:
        rise: by how much the mean quality goes up in the end.
        over: steps that most of it takes.
        narrows: by how much the spread between responses shrinks until the end, 0..1.
        low: where both judges see a quality of 0, in points.
        slopes: points for a unit of quality, of the judge and of the control.
        noises: points of error of one sample of each.
        own: points of lasting error of each about one response.
        of_group: points of lasting error of each about one group.
        ks: samples of each; the judge's grows fourfold at step 100 where ``grows``.
        squeezes: whether the judge's points flatten out above its middle.
        bias: points that the judge gives for what is worthless.
        at_first: share of responses that have it when the bias begins.
        learns: steps in which the policy learns most of it.
        cost: quality that the policy loses by it.
    """

    rise: float = 2.0
    over: float = 80.0
    narrows: float = 0.0
    low: float = 5.0
    slopes: tuple[float, float] = (1.2, 1.2)
    noises: tuple[float, float] = (2.0, 2.0)
    own: tuple[float, float] = (0.6, 0.6)
    of_group: tuple[float, float] = (0.4, 0.4)
    ks: tuple[int, int] = (4, 32)
    grows: bool = False
    squeezes: bool = False
    bias: float = 0.0
    at_first: float = 0.2
    learns: float = 12.0
    cost: float = 0.0


CLEAN = {
    "nothing changes": World(rise=0.0),
    "gets better": World(),
    "gets better fast": World(over=15.0),
    "gets better from the floor": World(low=1.5, rise=3.0),
    "rewards saturate": World(low=7.5, rise=3.0),
    "the judge saturates, the control does not": World(low=7.0, squeezes=True, rise=3.0),
    "responses grow alike": World(narrows=0.8),
    "k grows": World(grows=True, ks=(2, 32)),
    "a control that sees less": World(slopes=(1.2, 0.7), noises=(1.5, 2.5), ks=(8, 8)),
    "a control that sees more": World(slopes=(0.7, 1.4), noises=(2.5, 1.5), ks=(1, 32)),
    "gets worse": World(rise=-1.5),
}
BIASED = {
    "an opening": World(bias=2.5, at_first=0.2, learns=12.0),
    "praise of itself": World(bias=2.0, at_first=0.3, learns=15.0, cost=0.5),
    "length": World(bias=1.5, at_first=0.5, learns=15.0),
    "a small bias": World(bias=1.0, at_first=0.3, learns=15.0),
    "learned slowly": World(bias=2.0, at_first=0.05, learns=80.0),
    "an opening, while rewards are high": World(low=6.5, bias=2.5, at_first=0.2, learns=12.0),
}


def main() -> None:
    options = _options()
    started = time.process_time()
    found = {
        "what": "false alarms of clean runs and delays (steps) of biased ones, simulated",
        "steps": STEPS,
        "runs_of_each_clean": options.clean,
        "runs_of_each_biased": options.biased,
        "rounds_of_the_start": START,
        "responses_of_a_group": options.n,
        "clean": {name: _false(name, world, options) for name, world in CLEAN.items()},
        "biased": {name: _noticed(name, world, options) for name, world in BIASED.items()},
        "worlds": {name: asdict(world) for name, world in (CLEAN | BIASED).items()},
    }
    found["cpu_seconds"] = round(time.process_time() - started, 1)
    print("saved", save("watch_alarms", found, folder=options.out))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clean", type=int, default=100, help="runs of each clean kind")
    parser.add_argument("--biased", type=int, default=100, help="runs of each biased kind")
    parser.add_argument("--n", type=int, default=4, help="responses of a group")
    parser.add_argument("--groups", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    return parser.parse_args()


def _false(name: str, world: World, options: argparse.Namespace) -> dict[str, float]:
    """Share of clean runs with an alarm, by groups of the control judge a step."""
    return {
        f"{groups} a step": sum(
            alarm_at(world, groups, options.n, f"{name} {seed}") is not None
            for seed in range(options.clean)
        )
        / options.clean
        for groups in options.groups
    }


def _noticed(name: str, world: World, options: argparse.Namespace) -> dict[str, object]:
    return {
        f"{groups} a step": _delays(
            [alarm_at(world, groups, options.n, f"{name} {seed}") for seed in range(options.biased)]
        )
        for groups in options.groups
    }


def _delays(alarms: Sequence[int | None]) -> dict[str, float | None]:
    late = sorted(math.inf if at is None else at - ONSET for at in alarms)
    at_quantile = late[math.ceil(0.95 * len(late)) - 1]
    return {
        "too_early": sum(one < 0 for one in late) / len(late),
        "within_20": sum(0 <= one <= 20 for one in late) / len(late),
        "median": statistics.median(late) if late[len(late) // 2] < math.inf else None,
        "p95": at_quantile if at_quantile < math.inf else None,
    }


def alarm_at(world: World, groups: int, n: int, seed: object) -> int | None:
    """The step at which onset or level first alarm in one run; None: neither does."""
    starting, drift = Starting(START), None
    for step, compared in enumerate(run_of(world, groups, n, seed)):
        if drift is None:
            starting.add(compared)
            drift = Drift(start) if (start := starting.start) else None
            continue
        drift.add(compared)
        if drift.begins or drift.is_high:
            return step
    return None


def run_of(world: World, groups: int, n: int, seed: object) -> Iterator[list[Compared]]:
    """What both judges say, step by step."""
    draw = random.Random(f"watch {seed}")
    for step in range(STEPS):
        now = replace(world, ks=(4 * world.ks[0], world.ks[1])) if _grown(world, step) else world
        yield [_group(now, step, n, draw, str(number)) for number in range(groups)]


def _grown(world: World, step: int) -> bool:
    return world.grows and step >= 100


def _group(world: World, step: int, n: int, draw: random.Random, name: str) -> Compared:
    quality, spread, worthless = _policy(world, step)
    prompt = draw.gauss(0, 0.5)
    about = [draw.gauss(0, own) for own in world.of_group]
    pairs = []
    for _ in range(n):
        true = quality + prompt + spread * draw.gauss(0, 1)
        extra = world.bias if step >= ONSET and draw.random() < worthless else 0.0
        pairs.append(
            tuple(
                _judged(world, judge, true, about[judge] + (extra if judge == 0 else 0.0), draw)
                for judge in (0, 1)
            )
        )
    rewards, controls = zip(*pairs, strict=True)
    return Compared(name, rewards, controls)


def _policy(world: World, step: int) -> tuple[float, float, float]:
    """Mean quality, spread of responses, and share of them that do what is worthless."""
    quality = world.rise * (1 - math.exp(-step / world.over))
    spread = 1 - world.narrows * step / STEPS
    if not world.bias or step < ONSET:
        return quality, spread, 0.0 if not world.bias else world.at_first
    learned = 1 - (1 - world.at_first) * math.exp(-(step - ONSET) / world.learns)
    return quality - world.cost * learned, spread, learned


def _judged(world: World, judge: int, true: float, more: float, draw: random.Random) -> float:
    points = world.slopes[judge] * true
    if world.squeezes and judge == 0 and points > 0:
        points = 2 * math.tanh(points / 2)
    points += world.low + more + draw.gauss(0, world.own[judge])
    k = world.ks[judge]
    mean = points + draw.gauss(0, world.noises[judge] / math.sqrt(k))
    return (min(10.0, max(1.0, mean)) - 1) / 9


if __name__ == "__main__":
    main()
