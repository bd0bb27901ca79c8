"""What a scalar RM did, in words: for pages, terminals and tables of completions."""

from __future__ import annotations

from grm_plugin.types import Scalar


def decided(scalar: Scalar) -> str:
    """Who decided a group, and how sure the scalar RM was of it.

    >>> decided(Scalar((3.0, 0.0), sure=0.8, judged=False))
    'decided by the scalar RM without the judge: sureness 0.95, and 0.80 is enough'
    >>> decided(Scalar((0.2, 0.0), sure=0.8))
    'judged: sureness of the scalar RM 0.55, and 0.80 would be enough'
    """
    if not any(one is not None for one in scalar.scores):
        return "no scalar scores, so it was not judged"
    sure = "" if scalar.sureness is None else f"sureness {scalar.sureness:.2f}"
    if not scalar.judged:
        told = "decided by the scalar RM without the judge"
        if scalar.sure is None or not sure:
            return told
        return f"{told}: {sure}, and {scalar.sure:.2f} is enough"
    return "; ".join(filter(None, [_judged(scalar, sure), _agreed(scalar)]))


def _judged(scalar: Scalar, sure: str) -> str:
    if scalar.sure is None:
        return f"judged, with a scalar RM beside the judge ({sure or 'one score alone'})"
    if scalar.sure >= 1:
        return f"judged, as all groups are now ({sure or 'one score alone'})"
    if scalar.audited:
        return f"audited: judged although the scalar RM is sure ({sure})"
    if not sure:
        return "judged: the scalar RM has one score alone, and can not be sure"
    needed = f"{scalar.sure:.2f} would be enough"
    return f"judged: sureness of the scalar RM {scalar.sureness:.2f}, and {needed}"


def _agreed(scalar: Scalar) -> str:
    if scalar.agreement is None:
        return ""
    claimed = "" if scalar.claim is None else f", {scalar.claim:.0%} is claimed"
    return f"the judge agrees on {scalar.agreement:.0%} of pairs{claimed}"


def scored(scalar: Scalar | None, n: int) -> str:
    """The scalar score of response ``n`` and its vote; empty where there is none.

    >>> scored(Scalar((2.0, None)), 0), scored(Scalar((2.0, None)), 1)
    ('scalar score 2 (vote 0.88)', '')
    """
    if scalar is None or (score := scalar.scores[n]) is None:
        return ""
    return f"scalar score {score:.4g} (vote {scalar.votes[n]:.2f})"
