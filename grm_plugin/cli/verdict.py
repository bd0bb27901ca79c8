"""A verdict as rich renderables. Every text in it is untrusted and made printable first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from rich.console import Group as Lines
from rich.console import RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from grm_plugin.hosts.scalar_telling import decided, scored
from grm_plugin.hosts.telling import asked, by_distance, said_of, telling
from grm_plugin.report.judges import named
from grm_plugin.report.tally import paid_for
from grm_plugin.report.terminal import one_line, plain_table, printable
from grm_plugin.types import Failure, Judgment, Sample, Verdict

_ORDERS = 9  # responses of which an order is short enough for a cell
_LINES = 6  # of a passage: what is more stands in the judgment below it


def view(verdict: Verdict, samples: Collection[int] | None = None) -> RenderableType:
    """Everything about ``verdict``.

    Args:
        verdict: what to show; responses are numbered from 1, as ``#1``.
        samples: judgments to print in full, by sample number; None for the nearest to the mean
            and the farthest from it, empty for all.
    """
    return Lines(*_parts(verdict, samples), Text())


def brief(verdict: Verdict, judgment: Judgment) -> RenderableType:
    """The query, the responses with their rewards, and one judgment of ``verdict``."""
    return Lines(*_group(verdict), _judgment(judgment))


def _parts(verdict: Verdict, samples: Collection[int] | None) -> Iterator[RenderableType]:
    name = verdict.group.id or verdict.group.label
    yield Rule(f"group {one_line(name)}", align="left", characters="─")
    if not verdict.scored:
        yield Text(f"UNSCORED: {one_line(verdict.unscored)}", "bold red")
    if verdict.scalar:
        yield Text(decided(verdict.scalar), "bold")
    yield from _group(verdict)
    yield from _reason_for_lowest(verdict)
    if verdict.judgments or verdict.failures or not verdict.scalar:
        yield _samples(verdict)
    for judgment in telling(verdict, samples):
        yield _judgment(judgment, *_principles(judgment))
    for failure in verdict.failures:
        yield _failure(failure, in_full=asked(failure.sample, samples))
    yield from _hint(verdict, samples)
    yield _footer(verdict)


def _group(verdict: Verdict) -> Iterator[RenderableType]:
    group = verdict.shown or verdict.group
    for turn in group.conversation:
        yield _titled(turn.role, turn.content)
    if group.reference is not None:
        yield _titled("reference answer", group.reference)
    if group.principles:
        yield _titled("principles to use", "\n".join(group.principles))
    for n, response in enumerate(group.responses):
        scalar = f"  {told}" if (told := scored(verdict.scalar, n)) else ""
        yield _titled(f"response #{n + 1}{_reward(verdict, n)}{scalar}", response)
        for evidence in filter(None, group.evidence[n : n + 1]):
            yield _titled(f"evidence on #{n + 1}", evidence)


def _reward(verdict: Verdict, n: int) -> str:
    if verdict.rewards is None:
        return ""
    reward = verdict.rewards[n]
    if reward is None:
        why = verdict.unscored_responses.get(n, "")
        return f"  unscored: {why}" if why else "  unscored"
    best = " (best)" if reward == max(verdict.known_rewards) else ""
    return f"  reward {reward:.3f}{best}"


def _titled(title: str, text: str) -> RenderableType:
    return Lines(Text(one_line(title), "bold"), _indented(text))


def _indented(text: str) -> RenderableType:
    return Padding(Text(printable(text).strip("\n") or "(empty)"), (0, 0, 0, 4), expand=False)


def _samples(verdict: Verdict) -> Table:
    """A row for each sample; columns that would be empty, or too wide, are left out."""
    names = [f">#{n + 1}" for n in range(len(verdict.group.responses))]
    samples: list[Sample] = [*verdict.judgments, *verdict.failures]
    more = [head for head, cell in _MORE if any(cell(one) for one in samples)]
    if len(names) > _ORDERS:
        more = [head for head in more if head != "order"]
    table = plain_table(">sample", *names, *more, title="scores by sample")
    cells = [cell for head, cell in _MORE if head in more]
    for sample in sorted(samples, key=lambda one: (one.run, one.sample)):
        scores = _scores(sample, len(names))
        table.add_row(_number(sample), *scores, *(cell(sample) for cell in cells))
    return table


def _number(sample: Sample) -> str:
    """The number of a sample, after that of its run where a group has several."""
    return f"{sample.run}.{sample.sample}" if sample.run else str(sample.sample)


def _scores(sample: Sample, responses: int) -> Sequence[str]:
    if isinstance(sample, Failure):
        return ["-"] * responses
    return ["-" if score is None else f"{score:g}" for score in sample.scores]


def _meta(sample: Sample) -> str:
    if isinstance(sample, Failure) or sample.meta_score is None:
        return ""
    return f"{sample.meta_score:.2f}"


def _votes(sample: Sample) -> str:
    return "no" if isinstance(sample, Failure) else _vote(sample)


def _order(sample: Sample) -> str:
    """The responses in the order in which the judge saw them."""
    return " ".join(str(n + 1) for n in sample.order)


def _dropped(sample: Sample) -> str:
    return f"dropped: {sample.reason}" if isinstance(sample, Failure) else ""


_MORE: Sequence[tuple[str, Callable[[Sample], str]]] = (
    (">meta-score", _meta),
    ("votes", _votes),
    ("order", _order),
    ("", _dropped),
)


def _vote(judgment: Judgment) -> str:
    if not judgment.voted:
        return "no"
    return "yes" if judgment.weight == 1 else f"x {judgment.weight:.3g}"


def _judgment(judgment: Judgment, *more: RenderableType) -> RenderableType:
    places = ", ".join(f"Response {p} is #{n + 1}" for p, n in enumerate(judgment.order, 1))
    vote = "voted" if judgment.voted else "not selected to vote"
    if judgment.voted and judgment.weight != 1:
        vote += f" with weight {judgment.weight:.3g}"
    title = Text(f"judgment of sample {_number(judgment)}", "bold")
    title.append(f" ({vote}; in its text {places})", "not bold dim")
    return Lines(title, *more, _indented(judgment.text))


def _principles(judgment: Judgment) -> Iterator[RenderableType]:
    if not judgment.principles:
        return
    table = plain_table(">weight", "principle")
    for principle in judgment.principles:
        weight = "" if principle.weight is None else f"{principle.weight:g}"
        table.add_row(weight, one_line(principle.text))
    yield Padding(table, (0, 0, 0, 4), expand=False)


def _reason_for_lowest(verdict: Verdict) -> Iterator[RenderableType]:
    """What is said of the response with the lowest reward, as near to the mean as anything is."""
    if verdict.rewards is None or not verdict.known_rewards:
        return
    n = verdict.rewards.index(min(verdict.known_rewards))
    for judgment in by_distance(verdict):
        if lines := said_of(judgment, n)[:_LINES]:
            there = f"Response {judgment.order.index(n) + 1} there"
            title = f"why #{n + 1} is lowest, says sample {_number(judgment)} ({there})"
            yield _titled(title, "\n".join(lines))
            return


def _failure(failure: Failure, *, in_full: bool) -> RenderableType:
    title = f"dropped sample {_number(failure)}: {failure.reason}"
    return _titled(title, f"{failure.detail}\n{failure.text}" if in_full else failure.detail)


def _hint(verdict: Verdict, samples: Collection[int] | None) -> Iterator[RenderableType]:
    """How to see what the judge wrote in the samples that were dropped."""
    unseen = [one.sample for one in verdict.failures if one.text and not asked(one.sample, samples)]
    if unseen:
        numbers = ",".join(map(str, sorted(set(unseen))))
        yield Text(f"what the judge wrote in dropped samples: --samples {numbers}", "dim")


def _footer(verdict: Verdict) -> RenderableType:
    cost = verdict.cost
    spent = f"{cost.prompt_tokens} tokens read, {cost.output_tokens} written, {cost.seconds:.1f} s"
    if paid := paid_for(cost):
        spent += f", {paid}"
    origin = named(verdict.origin)
    known = {name: one for name, one in origin.items() if one not in (None, "", [], {})}
    told = ", ".join(f"{name} {value}" for name, value in known.items())
    return Text(f"cost: {spent}\norigin: {one_line(told)}", "dim")
