"""What a run is about to do, in one block, before Ray starts."""

from __future__ import annotations

from collections.abc import Iterator

from grm_openrlhf.options import options_of
from grm_openrlhf.plan import Plan
from grm_openrlhf.recording import of_engine
from grm_plugin.prices import BudgetLimits, told
from grm_plugin.schedule import Schedule

_CONVERSATIONS = {
    "conversation": "the messages of the dataset",
    "reference": "the policy's prompt, without its chat template; the label is a good answer",
    "ignore": "the policy's prompt, without its chat template; the label is ignored",
}


def announcement(plan: Plan, said: str) -> str:
    """The lines of the block.

    Args:
        plan: of the run.
        said: what the judge's servers say now; empty where nobody was asked.
    """
    lines = [f"  {name:<8} {text}" for name, text in _told(plan, said)]
    return "\n".join(["grm-plugin judges this run:", *lines])


def _told(plan: Plan, said: str) -> Iterator[tuple[str, str]]:
    config, low_high = plan.judge.config, plan.settings.reward_range
    options = options_of(config)
    low, high = (f"{one * options.reward_scale:g}" for one in low_high)
    yield "judge", _judge(plan, said)
    yield "samples", f"{_samples(config.k, config.schedule)}; vote: {config.vote}"
    yield "rewards", f"{low} to {high}; none where the judge fails"
    yield "sees", _CONVERSATIONS[plan.settings.label]
    if plan.settings.own_agent:
        seen = "all turns are" if options.history == "all" else "the last action is"
        yield "agent", f"{plan.settings.own_agent}: {seen} judged, and that replaces its own reward"
    if budget := config.budget:
        yield "budget", f"{_amount(budget)} for each of {plan.engines} rollout actors"
    yield "record", _record(plan)
    if plan.page:
        yield "page", f"{plan.page}, when the run is over"


def _judge(plan: Plan, said: str) -> str:
    engine = plan.judge.config.engine
    if servers := plan.servers:
        gpus = f"{servers.placement.gpus} GPUs each"
        count = servers.placement.replicas
        return f"{count} x {servers.serve.model}, {gpus}, started before the policy loads"
    where = engine.options.get("urls") or [engine.options.get("url")]
    addresses = ", ".join(str(one) for one in where if one)
    at = f" at {addresses}" if addresses else " in every rollout actor"
    return f"engine {engine.name}{at}" + (f": {said}" if said else "")


def _amount(budget: BudgetLimits) -> str:
    return " and ".join(told(name, limit) for name, limit in budget.told.items())


def _samples(k: int, schedule: Schedule | None) -> str:
    if schedule is None:
        return f"k = {k}"
    sizes = ", ".join(str(size.k) for size in schedule.every_size().values())
    return f"k = {sizes} by the schedule, {k} in evaluations"


def _record(plan: Plan) -> str:
    record = plan.judge.config.record
    if record is None:
        return "none; `record: verdicts.jsonl` keeps every verdict"
    first, last = of_engine(record, 0), of_engine(record, plan.engines - 1)
    return f"{first}" if first == last else f"{first} to {last.suffix[1:]}"
