"""What ``grm doctor`` asks a judge, and what it makes of the two judgments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from grm_plugin.cli.environment import Check
from grm_plugin.errors import InputError
from grm_plugin.hosts.averages import mean
from grm_plugin.hosts.counting import votes
from grm_plugin.prompts import Template
from grm_plugin.report.tally import paid_for
from grm_plugin.types import Group, Judgment, Reason, Sample, Verdict

PLAIN = Group.of(
    "How many legs does a spider have? Answer in one sentence.",
    ["A spider has eight legs.", "A spider has six legs, just like a fly."],
    id="doctor",
)
"""A good response and a bad one, for any judge that reads English."""

WORDS = Group.of(
    "Write a list of words: include the word sunrise; use exactly 3 items.",
    ["list: sunrise, moonlight, airport", "list: moonlight, airport"],
    id="doctor",
)
"""The same in the only words that the embedded reference GRM knows."""

REFUSED = (
    "change what it names: the key (--set engine.api_key_env=NAME), the model (--model), the "
    "address (--url) or a field of the request"
)
_FIXES = {
    Reason.TRUNCATED: "raise max_tokens, say --set max_tokens=4096",
    Reason.TIMEOUT: "raise request_timeout_s, or look at the judge's log",
    Reason.TRANSPORT: "look at the judge's log",
    Reason.REFUSED: REFUSED,
    Reason.DECLINED: "there is nothing in this text that should be declined; name another judge",
    Reason.ONLY_THINKING: "raise max_tokens, or look how the server parts thinking from answers",
}
_NO_GRM = (
    "try again with another --seed; if that fails too, it may be no GRM or need another template"
)
_ORDER = (
    "--seed draws others; if it stays, `template` is not the prompt this judge was trained on, or "
    "its scale has the best at the low end"
)
_PLACE = "--seed draws others; if it stays, keep shuffle: balanced with an even k"


def sample_for(engine: Any, template: Template) -> Group:
    """A group that the judge can be asked about; response 1 is the better one."""
    group = PLAIN
    if admit := getattr(engine, "admit", None):
        try:
            admit(group)
        except InputError:
            group = WORDS
    needs_one = "principles" in template.layout.needs
    return replace(group, principles=("The task is done.",)) if needs_one else group


def reading(verdict: Verdict) -> Check:
    """Whether the judgments could be read, and what they cost."""
    lost = list(dict.fromkeys(f"{one.reason}: {one.detail}" for one in verdict.failures))
    samples: list[Sample] = [*verdict.judgments, *verdict.failures]
    if not verdict.judgments:
        return Check("fail", "; ".join(lost) or verdict.unscored, _fix(verdict))
    share = f"{len(verdict.judgments)} of {len(samples)} judgments can be read"
    detail = f"{share}; {_spent(verdict, samples)}"
    if lost:
        return Check("warn", f"{detail}; lost: {'; '.join(lost)}", _fix(verdict))
    return Check("ok", detail)


def _fix(verdict: Verdict) -> str:
    for one in verdict.failures:
        # a server that takes none of such requests does not mean their text
        refused = one.reason == Reason.TRANSPORT and re.search(r"HTTP 4\d\d", one.detail)
        return REFUSED if refused else _FIXES.get(one.reason, _NO_GRM)
    return _NO_GRM


def _spent(verdict: Verdict, samples: Sequence[Sample]) -> str:
    """Of a judgment in the mean, and the money of all of them."""
    seconds = mean(one.seconds for one in samples) or verdict.cost.seconds
    read, written = (
        mean(getattr(one, f"{way}_tokens") for one in samples) for way in ("prompt", "output")
    )
    spent = f"each takes {seconds:.1f} s, {read:.0f} tokens read and {written:.0f} written"
    paid = paid_for(verdict.cost)
    return f"{spent}; together {paid}" if paid else spent


def order(judged: Sequence[Judgment]) -> Check:
    """Whether the good response gets the higher score, wherever it stands."""
    if not judged:
        return Check("ok", "not looked at: there is no judgment")
    good, bad = (mean(votes(judged, n)) for n in (0, 1))
    detail = f"scores {good:g} for a good and {bad:g} for a bad response in the mean"
    if place := _winning_place(judged):
        return Check("warn", f"{detail}, but the one shown {place} wins in each order", _PLACE)
    if not good > bad:
        return Check("warn", detail, _ORDER)
    return Check("ok", f"{detail} over {len(judged)} judgments")


def scalar_scores(verdict: Verdict) -> Check:
    """Whether a scalar RM scores both responses, and the good one higher."""
    scalar = verdict.scalar
    if scalar is None or scalar.failures:
        why = next(iter(scalar.failures.values())) if scalar else verdict.unscored
        return Check("fail", why, "look at scalar.classifier, and at its server's log")
    good, bad = scalar.scores
    detail = (
        f"scores {good:.3g} for a good and {bad:.3g} for a bad response, center "
        f"{scalar.center:g}, spread {scalar.spread:g}: sureness {scalar.sureness:.2f}"
    )
    if good is not None and bad is not None and not good > bad:
        return Check("warn", detail, "a single pair says little; `grm scale` measures it on yours")
    return Check("ok", detail)


def _winning_place(judged: Sequence[Judgment]) -> str:
    """``first`` or ``last`` when that place won in each of several orders, else nothing."""
    shown = {one.order: [one.scores[n] or 0.0 for n in one.order] for one in judged}
    winners = {"first" if pair[0] > pair[-1] else "last" for pair in shown.values()}
    undecided = any(pair[0] == pair[-1] for pair in shown.values())
    return "" if undecided or len(shown) < 2 or len(winners) > 1 else winners.pop()
