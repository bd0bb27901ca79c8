"""Every number of a judge's health, named and explained: terminal, JSON and page tell it from here.

A meaning says what the number is, what it is where all is well, and what to do otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from grm_plugin.types import LOST, Reason

Unit = Literal["share", "difference", "points", "correlation", "votes"]


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a number is called, and says.

    Args:
        name: as JSON and metrics call it.
        section: what it stands with.
        title: as people read it.
        unit: a ``share`` or a ``difference`` of shares, of 1; ``points`` of the judge's scale.
        text: what it says and what to do about it, in a sentence or three.
        neutral: what it is without a bias; None where there is no such number.
        units: what is counted.
    """

    name: str
    section: str
    title: str
    unit: Unit
    text: str
    neutral: float | None = None
    units: str = "groups"


_NOISE = "Chance alone moves it too: believe it where the interval excludes the neutral value."
_ALL = "the intervals of all places hold together."

_EVERY = (
    Meaning(
        "place_first", "position", "first place", "points",
        "How far scores at the first place lie above the mean of their judgment. Balanced "
        f"shuffles keep it out of rewards where k is a multiple of N. {_NOISE}",
        0.0, "judgments",
    ),
    Meaning(
        "place_last", "position", "last place", "points",
        f"The same of the last place. {_NOISE}",
        0.0, "judgments",
    ),
    Meaning(
        "place_gap", "position", "best less worst place", "points",
        "How far the mean scores of the best and the worst place lie apart. Chance alone opens "
        "a gap, the wider the fewer the judgments; see the scores at each place.",
        units="judgments",
    ),
    Meaning(
        "earlier_wins", "position", "earlier of two wins", "share",
        "How often the earlier one of two responses has the higher score, a tie as one half, "
        "both ways round counted alike. Above one half the judge favours what it reads first.",
        0.5,
    ),
    Meaning(
        "flip_rate", "position", "flips, other order", "share",
        "How often two samples disagree on two responses that they saw in different orders; "
        "part of it is the noise of sampling.",
    ),
    Meaning(
        "flip_rate_same_order", "position", "flips, same order", "share",
        "How often two samples disagree on two responses that both saw in the same order: the "
        "noise of sampling. More samples average it out.",
    ),
    Meaning(
        "flips_by_order", "position", "flips by order alone", "difference",
        "What flips between orders have beyond those within one order: 0 where order plays no "
        "part, however noisy the judge; 100 % where it alone decides. Where it is above 0, "
        "keep shuffle balanced and k a multiple of N.",
        0.0,
    ),
    Meaning(
        "judgment_tie_rate", "ties", "ties of judgments", "share",
        "How often the highest score of one judgment is given twice. Ties teach nothing; more "
        "samples, a finer scale or the expected contract break them.",
        units="judgments",
    ),
    Meaning(
        "tie_rate", "ties", "ties of rewards", "share",
        "How often the highest reward of a group is given twice, after the vote.",
    ),
    Meaning(
        "length_correlation", "length", "length and reward", "correlation",
        "How rewards go with the logarithm of the length, within groups. Compare it with the "
        "next one: good answers may well be longer.",
    ),
    Meaning(
        "length_truth", "length", "length and truth", "correlation",
        "How the known truth goes with length, within the same groups: what a judge without a "
        "bias would show.",
    ),
    Meaning(
        "length_bias", "length", "length, truth taken out", "correlation",
        "How rewards go with length once the truth is taken out of both. Above 0 the judge "
        "pays for length: say in the template that it is worth nothing, and watch the length "
        "of what the policy writes.",
        0.0,
    ),
    Meaning(
        "praise_rate", "self-praise", "praise themselves", "share",
        "How many responses call themselves good or name their own score, by patterns. A rate "
        "that rises in training is a policy that talks to its judge.",
        units="responses",
    ),
    Meaning(
        "praise_correlation", "self-praise", "praise and reward", "correlation",
        "How rewards go with praise of itself, in groups where some responses have it and some "
        "do not.",
        0.0,
    ),
    Meaning(
        "praise_bias", "self-praise", "praise, truth taken out", "correlation",
        "The same once the truth is taken out of both. Above 0 the judge believes praise.",
        0.0,
    ),
    Meaning(
        "sample_agreement", "agreement", "samples agree on two", "share",
        "How often two samples of the judge agree which of two responses is better, or that "
        "neither is.",
    ),
    Meaning(
        "krippendorff_alpha", "agreement", "Krippendorff's alpha", "correlation",
        "Agreement of the scores beyond chance over all responses of all groups: 1 for samples "
        "that agree, 0 for chance. Groups of different levels raise it; what rewards within "
        "groups are worth is told by the reliability.",
        units="votes",
    ),
    Meaning(
        "reliability", "reliability", "reliability of one vote", "correlation",
        "ICC(1): which part of a vote's variance lies between the responses of a group rather "
        "than between samples. It says how steady votes are, not how right: a bias is steady, "
        "too.",
    ),
    Meaning(
        "reliability_of_mean", "reliability", "reliability of the mean vote", "correlation",
        "The same of the mean of all votes, by Spearman and Brown; balanced shuffles make it a "
        "little better than that.",
    ),
    Meaning(
        "k_for_80", "reliability", "votes for 0.8", "votes",
        "How many votes would reach a reliability of 0.8.",
    ),
    Meaning(
        "k_for_90", "reliability", "votes for 0.9", "votes",
        "How many votes would reach a reliability of 0.9. A number beyond what you can pay for "
        "says that responses are alike to this judge: a better judge helps more than a larger "
        "k.",
    ),
    Meaning(
        "valid_rate", "answers", "samples valid", "share", "How many samples could be read.",
        units="samples",
    ),
    Meaning(
        "unscored_rate", "answers", "groups unscored", "share",
        "How many groups have no reward.",
    ),
    Meaning(
        "meta_brier", "meta RM", "Brier score", "points",
        "The mean squared distance of the meta RM's probability from 1 for a right judgment "
        "and 0 for a wrong one; 0.25 is what one half for all would get.",
        units="judgments",
    ),
    Meaning(
        "meta_too_high", "meta RM", "probability less share right", "difference",
        "How far the meta RM's probability lies above the share of right judgments. Selection "
        "does not mind; weights and thresholds do.",
        0.0, "judgments",
    ),
    Meaning(
        "meta_auc", "meta RM", "right above wrong, equal margin", "share",
        "The chance that a right judgment has a higher meta-score than a wrong one whose two "
        "highest scores lie as far apart: 50 % for a meta RM that knows nothing but the margin.",
        0.5, "pairs",
    ),
    Meaning(
        "meta_ece", "meta RM", "calibration error", "points",
        "The mean distance of the meta RM's probability from the share of right judgments, over "
        "ten bins; noise alone makes it larger than 0.",
        units="judgments",
    ),
)  # fmt: skip

MEANINGS = {one.name: one for one in _EVERY}
"""By name; further ones are of a place or of a reason."""

_DROPPED = {
    Reason.TRUNCATED: "Raise max_tokens, or ask for a shorter critique.",
    Reason.UNREADABLE: "The judge does not keep to the contract: is the template the one that it "
    "was trained on?",
    Reason.WRONG_COUNT: "Long lists are miscounted; smaller groups, or a plan of pairs, help.",
    Reason.OUT_OF_RANGE: "The judge uses another scale than the template's.",
    Reason.ONLY_THINKING: "Thinking used up all tokens: raise max_tokens or bound the thinking.",
    Reason.DECLINED: "The judge, or its provider's filter, would not judge these texts.",
    **dict.fromkeys(LOST, "Lost on the way: it says nothing about the judge's answers."),
}


def of_dropped(reason: Reason) -> Meaning:
    """Of the share of samples that was dropped for one reason."""
    text = " ".join(filter(None, ["Of all samples.", _DROPPED.get(reason, "")]))
    title = f"dropped: {reason.replace('_', ' ')}"
    return Meaning(f"dropped_{reason}", "answers", title, "share", text, units="samples")


def of_lift(place: int) -> Meaning:
    """Of the scores at one place, from 1 on."""
    return Meaning(
        f"place_lift_{place}", "position", f"scores at place {place}", "points",
        f"How far scores at this place lie above the mean of their judgment; {_ALL}",
        0.0, "judgments",
    )  # fmt: skip


def of_accuracy(place: int) -> Meaning:
    """Of the accuracy of single judgments with the best response at one place, from 1 on."""
    return Meaning(
        f"place_accuracy_{place}", "position", f"right, best at place {place}", "share",
        "How often single judgments pick the best response where it stands at this place, a tie "
        f"broken at random; {_ALL}",
        units="judgments",
    )  # fmt: skip
