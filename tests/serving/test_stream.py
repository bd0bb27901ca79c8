"""A trainer's whole run against the collector: samples lost, late, repeated; nothing spreads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.serving.admission import Admission
from grm_plugin.serving.callers import Caller
from grm_plugin.serving.collector import Collector
from grm_plugin.serving.gathering import Arrival, Gathering, Seat
from grm_plugin.serving.settings import ServingSettings
from grm_plugin.types import Message

SIZE, FLUSH_S = 3, 10.0
CALLER = Caller("trainer", "1")
FATES = ("plain", "plain", "plain", "lost", "late", "asked again", "gone")


class Sample(NamedTuple):
    """One response on its way. ``copy`` tells equal prompts of one step apart."""

    step: int
    prompt: int
    copy: int
    index: int
    text: str
    fate: str

    def arrival(self, *, named: bool) -> Arrival:
        asked = (Message("user", str(self.prompt)),)
        if not named:
            return Arrival(self.prompt, SIZE, asked, self.text, CALLER)
        name = f"step {self.step}, {self.prompt}.{self.copy}"
        return Arrival(name, SIZE, asked, self.text, CALLER, index=self.index, name=name)


@dataclass
class Server:
    """The collector with a clock and a judge that remembers what it was shown."""

    named: bool
    now: float = 0.0
    judged: dict[Gathering, list[str]] = field(default_factory=dict)
    came: dict[Gathering, list[Sample]] = field(default_factory=dict)
    answers: list[tuple[Sample, Seat]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.admission = Admission.of(ServingSettings(queue=10_000))
        self.collector = Collector(self.admission, flush_s=FLUSH_S, remember_s=900)

    def send(self, sample: Sample) -> None:
        arrival = sample.arrival(named=self.named)
        seat = self.collector.add(arrival, self.now)
        if seat.calls == 1:
            self.came.setdefault(seat.gathering, []).append(sample)
        if sample.fate in ("asked again", "gone"):
            self.collector.leave(seat, self.now, answered=False)
        if sample.fate == "asked again":
            self.now += 1
            self.judge()
            assert self.collector.add(arrival, self.now).digest == seat.digest
        if sample.fate != "gone":
            self.answers.append((sample, seat))
        self.judge()

    def judge(self) -> None:
        for gathering in self.collector.take_ready(self.now):
            assert gathering not in self.judged
            self.judged[gathering] = [one.response for one in gathering.arrivals]
            self.collector.settle(gathering, self.now)

    def wait(self) -> None:
        self.now += FLUSH_S
        self.judge()
        assert self.collector.open_groups == self.admission.groups.taken == 0
        assert self.admission.held_bytes.taken == 0

    def answer(self) -> None:
        """Everybody who waits has an answer by now."""
        for _, seat in self.answers:
            assert seat.gathering in self.judged
            if seat.callers:
                self.collector.leave(seat, self.now, answered=True)

    def step(self, samples: Iterable[Sample]) -> None:
        """A step of a trainer that waits for all its rewards before the next one."""
        late = []
        for sample in samples:
            if sample.fate == "late":
                late.append(sample)
            elif sample.fate != "lost":
                self.send(sample)
        self.wait()
        for sample in late:
            self.send(sample)
        self.wait()
        self.answer()


@st.composite
def runs(draw: st.DrawFn) -> list[list[Sample]]:
    """Some steps in which a few prompts come again and again, twice in a step or once."""
    steps = []
    for step in range(draw(st.integers(1, 4))):
        copies = draw(st.lists(st.integers(0, 1), min_size=1, max_size=3))
        samples = [
            Sample(
                step,
                prompt,
                copies[:i].count(prompt),
                index,
                draw(st.sampled_from("abc")),
                draw(st.sampled_from(FATES)),
            )
            for i, prompt in enumerate(copies)
            for index in range(SIZE)
        ]
        steps.append(draw(st.permutations(samples)))
    return steps


def fates(samples: Sequence[Sample], *which: str) -> int:
    return sum(sample.fate in which for sample in samples)


@given(runs())
def test_without_ids_every_number_is_of_a_judging_that_saw_the_response(
    steps: list[list[Sample]],
) -> None:
    server = Server(named=False)
    for samples in steps:
        server.step(samples)
    for sample, seat in server.answers:
        assert seat.place is not None
        assert server.judged[seat.gathering][seat.place] == sample.text


@given(runs())
def test_without_ids_a_lost_sample_costs_no_more_than_its_own_group(
    steps: list[list[Sample]],
) -> None:
    server = Server(named=False)
    for samples in steps:
        server.step(samples)
    everything = [sample for samples in steps for sample in samples]
    short = [gathering for gathering, seen in server.judged.items() if len(seen) < SIZE]
    # a late one is lost to its group, and then a group of its own; an equal text may take the
    # place of one that has gone for good within half a minute
    assert len(short) <= fates(everything, "lost", "gone") + 2 * fates(everything, "late")
    if not fates(everything, "gone"):
        assert all(len({sample.step for sample in came}) == 1 for came in server.came.values())
        for samples in steps:
            if not fates(samples, "lost", "late"):
                mine = [one for one, came in server.came.items() if came[0].step == samples[0].step]
                assert all(len(server.judged[one]) == SIZE for one in mine)


@given(runs(), st.randoms())
def test_with_ids_groups_are_exact_whatever_overlaps_and_a_late_response_is_marked(
    steps: list[list[Sample]], random: Random
) -> None:
    server = Server(named=True)
    everything = [sample for samples in steps for sample in samples]
    random.shuffle(everything)
    server.step(everything)
    for gathering, came in server.came.items():
        assert len({(sample.step, sample.prompt, sample.copy) for sample in came}) == 1
        assert gathering.name == came[0].arrival(named=True).name
    for sample, seat in server.answers:
        if seat.place is None:
            assert sample.fate == "late"
        else:
            assert server.judged[seat.gathering][seat.place] == sample.text
