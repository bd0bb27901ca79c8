"""What Prometheus reads at ``/metrics``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary, generate_latest

from grm_plugin.hosts.counting import Tally
from grm_plugin.hosts.fallback import Filled
from grm_plugin.types import Reason, Scalar, Verdict

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)


class _Registry:
    """Makes counters; every label value that is known before is there from the start."""

    def __init__(self) -> None:
        self.all = CollectorRegistry()

    def counter(self, name: str, text: str, **labels: Iterable[str]) -> Counter:
        counter = Counter(name, text, list(labels), registry=self.all)
        for value in [str(value) for values in labels.values() for value in values]:
            counter.labels(value)
        return counter

    def histogram(self, name: str, text: str, *labels: str) -> Histogram:
        return Histogram(name, text, labels, buckets=_SECONDS, registry=self.all)

    def summary(self, name: str, text: str) -> Summary:
        return Summary(name, text, registry=self.all)

    def gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, registry=self.all)


class _Costs:
    """What the judge read and wrote, and what it took."""

    def __init__(self, made: _Registry) -> None:
        self._tokens = made.counter(
            "grm_judge_tokens", "Tokens of the judge", direction=("in", "out")
        )
        self._cached = made.counter(
            "grm_judge_cached_tokens", "Prompt tokens that the judge's server had cached"
        )
        self._flops = made.counter("grm_judge_flops", "FLOPs, where every size is known")
        self._money = made.counter("grm_judge_dollars", "US dollars for samples of known price")
        self._unpriced = made.counter("grm_unpriced_samples", "Samples whose price is not known")

    def count(self, tally: Tally) -> None:
        """Count what the groups of ``tally`` cost."""
        self._tokens.labels("in").inc(tally.cost.prompt_tokens)
        self._tokens.labels("out").inc(tally.cost.output_tokens)
        self._cached.inc(tally.cached.total)
        self._flops.inc(tally.cost.flops or 0.0)
        self._money.inc(tally.cost.money or 0.0)
        self._unpriced.inc(tally.cost.unpriced)


class _ScalarRM:
    """What a scalar RM beside the judge decided, and how right it was."""

    def __init__(self, made: _Registry) -> None:
        self._groups = made.counter(
            "grm_scalar_groups",
            "Groups with scalar scores: decided without the judge, judged, or audited",
            outcome=("scalar", "judged", "audited"),
        )
        self._failed = made.counter(
            "grm_scalar_failed_responses", "Responses to which the scalar RM gave no score"
        )
        self._sureness = made.summary(
            "grm_scalar_sureness", "How sure the scalar RM is of the order of a group"
        )
        self._agreement = made.summary(
            "grm_audit_agreement", "Share of pairs of an audited group on which the judge agrees"
        )
        self._claim = made.summary(
            "grm_audit_claim", "The same share where the scalar RM is as right as it claims"
        )
        self._sure = made.gauge(
            "grm_sure_threshold", "Sureness from which on groups go without the judge"
        )

    def count(self, scalar: Scalar) -> None:
        """Count a group with scalar scores."""
        outcome = ("audited" if scalar.audited else "judged") if scalar.judged else "scalar"
        self._groups.labels(outcome).inc()
        self._failed.inc(len(scalar.failures))
        if scalar.sureness is not None:
            self._sureness.observe(scalar.sureness)
        if scalar.audited and scalar.agreement is not None:
            self._agreement.observe(scalar.agreement)
        if scalar.audited and scalar.claim is not None:
            self._claim.observe(scalar.claim)
        if scalar.sure is not None:
            self._sure.set(scalar.sure)


class Metrics:
    """The counters of one server.

    They have a ``registry`` of their own, so that a process may hold several servers.
    """

    def __init__(self) -> None:
        made = _Registry()
        self.registry = made.all
        self.calls = made.counter("grm_calls", "HTTP calls answered", path=(), status=())
        self.caller_calls = made.counter(
            "grm_caller_calls", "HTTP calls by the name of their token", token=(), status=()
        )
        self.call_seconds = made.histogram("grm_call_seconds", "Seconds of an HTTP call", "path")
        self.groups = made.counter("grm_groups", "Groups answered", outcome=("scored", "unscored"))
        self.early = made.counter(
            "grm_early_groups", "Groups for which a stopper had enough samples before k"
        )
        self.samples = made.counter(
            "grm_samples",
            "Samples of the judge: valid, or why they were dropped",
            outcome=("valid", *Reason),
        )
        self.filled = made.counter(
            "grm_filled_responses",
            "Responses that got a number in place of a reward, and which",
            number=("group_mean", "recent_mean", "late"),
        )
        self.partial = made.counter("grm_partial_groups", "Groups with responses missing in time")
        self.repeated = made.counter("grm_repeated_responses", "Responses that were sent again")
        self.group_seconds = made.histogram("grm_group_seconds", "Seconds of judging a group")
        self._costs, self._scalar = _Costs(made), _ScalarRM(made)
        self._make_gauges(made)

    def _make_gauges(self, made: _Registry) -> None:
        self.collecting = made.gauge("grm_collecting_groups", "Groups that wait for responses")
        self.queue_depth = made.gauge("grm_queue_depth", "Groups that wait for the judge")
        self.in_flight = made.gauge("grm_groups_in_flight", "Groups that are judged now")
        self.held_bytes = made.gauge("grm_held_bytes", "Bytes of calls that are not answered yet")
        self.k = made.gauge("grm_k", "Samples of the judge per group")

    def count_call(self, path: str, status: str, token: str, seconds: float) -> None:
        """Count an HTTP call that is over; ``token`` is the name of its token, empty: none."""
        self.calls.labels(path, status).inc()
        self.caller_calls.labels(token, status).inc()
        self.call_seconds.labels(path).observe(seconds)

    def count(self, verdict: Verdict) -> None:
        """Count a group that was judged, or could not be."""
        tally = Tally.of([verdict])
        self.groups.labels("scored").inc(tally.scored)
        self.groups.labels("unscored").inc(tally.unscored.total())
        self.early.inc(tally.early)
        self.samples.labels("valid").inc(tally.valid)
        for reason, count in tally.dropped.items():
            self.samples.labels(str(reason)).inc(count)
        self._costs.count(tally)
        self.group_seconds.observe(verdict.cost.seconds)
        if verdict.scalar:
            self._scalar.count(verdict.scalar)

    def count_filled(self, filled: Filled) -> None:
        """Count the responses of a group that got a number in place of a reward."""
        self.filled.labels("group_mean").inc(filled.filled)
        if filled.unscored:
            self.filled.labels("recent_mean").inc(len(filled.rewards))

    def text(self) -> bytes:
        """Everything, in Prometheus' text format."""
        return generate_latest(self.registry)


@contextmanager
def one_more(gauge: Gauge) -> Iterator[None]:
    """``gauge`` counts the body."""
    gauge.inc()
    try:
        yield
    finally:
        gauge.dec()
