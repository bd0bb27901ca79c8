"""How likely it is that samples not drawn yet change which response leads. Pure mathematics.

The differences between the leader's score and a rival's, one a sample, are taken as draws of a
normal distribution of unknown mean and spread. Nothing is assumed of the mean; of the spread as
much as two differences would tell, so that two samples that happen to agree decide nothing. What
the samples to come add is then a Student's t (the predictive distribution of a normal inverse-gamma
model), in closed form.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

_BEFORE = 2  # differences that the prior of the spread is worth
_SPREAD = 0.25  # of the prior, as a share of the scale's range
_LEVEL = 0.05  # as a share of the scale's range, what is no difference
SAME = 1e-9
"""Sums that are nearer are equal, whatever the rounding; in points."""


def freedom(valid: int) -> int:
    """Degrees of freedom of the spread after ``valid`` differences, the prior included."""
    return valid + _BEFORE - 1


def prior(width: float) -> float:
    """What the prior adds to the sum of squared deviations, in points squared.

    Args:
        width: of the scale, from its lowest to its highest score, in points.
    """
    return _BEFORE * (_SPREAD * width) ** 2


def overtaken(
    total: float,
    squares: float,
    valid: int,
    drawn: int,
    k: int,
    width: float,
    ahead: float = 0.0,
) -> float:
    """The chance, 0..1, that a rival is not behind the leader once k samples are drawn.

    With ``valid`` differences of mean d and spread s, the k - drawn samples to come give as many
    valid ones a sample as those before, and the chance is P(T > d / s * sqrt(valid k / (k -
    drawn))). A lead that no sample gave counts towards d as spread over all the k samples.

    Args:
        total: sum of the differences, leader less rival, in points; with ``ahead`` 0 or more.
        squares: sum of their squares.
        valid: how many differences, >= 1.
        drawn: samples drawn, failed ones included, 1..k - 1.
        k: samples that may be drawn.
        width: of the scale, in points.
        ahead: what the leader has besides the sum of the differences, in points.

    >>> round(overtaken(8, 32, valid=2, drawn=2, k=32, width=9), 3)
    0.025
    >>> overtaken(0, 0, valid=8, drawn=8, k=32, width=9)
    0.5
    """
    spread = _spread(total, squares, valid, width)
    lead = total / valid + ahead * drawn / (valid * k)
    return tail(lead / spread * math.sqrt(valid * k / (k - drawn)), freedom(valid))


def truly_ahead(leads: Sequence[float], width: float) -> float:
    """The chance, 0.5..1, that whoever is ahead by these differences is so by all there could be.

    Args:
        leads: one a sample, one at least, in points.
        width: of the scale, in points.

    >>> round(truly_ahead([3.0, 2.0, 4.0, 3.0], width=9), 2), truly_ahead([1.0, -1.0], width=9)
    (0.99, 0.5)
    """
    total, valid = abs(math.fsum(leads)), len(leads)
    spread = _spread(total, math.fsum(lead * lead for lead in leads), valid, width)
    return 1 - tail(total / valid / spread * math.sqrt(valid), freedom(valid))


def truly_level(leads: Sequence[float], width: float) -> float:
    """The chance, 0..1, that two of the same sum are level by all that there could be.

    Level is who differs by less than a twentieth of the scale, half a point of ten.

    Args:
        leads: one a sample, one at least, in points, of sum 0.
        width: of the scale, in points.

    >>> [round(truly_level([0.0] * k, width=9), 2) for k in (1, 8, 32)]
    [0.14, 0.74, 1.0]
    >>> round(truly_level([3.0, -3.0] * 4, width=9), 2)
    0.32
    """
    spread = _spread(0.0, math.fsum(lead * lead for lead in leads), len(leads), width)
    within_reach = _LEVEL * width / spread * math.sqrt(len(leads))
    return float(within(within_reach, freedom(len(leads)), math))


def order_known(leads: Sequence[float], width: float) -> float:
    """The chance, 0.5..1, that samples order two as all that there could be would.

    Of a tie it is 1/2 and half the chance that the two are level by all that there could be: who
    claims an order with p can expect half an agreement of a tie by chance, and p of a true one. So
    one tie tells next to nothing, and many samples on which two are alike as much as an order does.

    Args:
        leads: one a sample, one at least, in points.
        width: of the scale, in points.

    >>> [round(order_known(one, width=9), 2) for one in ([3.0, 2.0, 4.0, 3.0], [0.0], [0.0] * 32)]
    [0.99, 0.57, 1.0]
    """
    if abs(math.fsum(leads)) > SAME:
        return truly_ahead(leads, width)
    return 0.5 + truly_level(leads, width) / 2


def alike(*chances: float) -> float:
    """The chance that an even number of independent errors is made: that who errs so agree.

    Args:
        chances: of each not to err, 0..1.

    >>> round(alike(0.9, 0.8), 2), alike(0.9, 1.0), alike(0.9, 0.5)
    (0.74, 0.9, 0.5)
    """
    return 0.5 + math.prod(2 * one - 1 for one in chances) / 2


def _spread(total: float, squares: float, valid: int, width: float) -> float:
    """Of the differences around their mean, the prior included."""
    deviations = max(0.0, squares - total * total / valid) + prior(width)
    return math.sqrt(deviations / freedom(valid))


def tail(t: float, degrees: int) -> float:
    """P(T > t), 0..1, of Student's t with a whole number of degrees of freedom.

    In closed form: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4.

    >>> tail(0.0, 3), round(tail(2.262157, 9), 6)
    (0.5, 0.025)
    """
    # the closed form is a sum, and may round to a little more than 1
    return float(min(1.0, max(0.0, (1 - within(t, degrees, math)) / 2)))


def within(t: Any, degrees: int, functions: Any) -> Any:
    """P(|T| < t) for t > 0, and its negative for t < 0.

    Args:
        t: a number, or an array of them.
        degrees: of freedom, >= 1.
        functions: ``math`` for a number, ``numpy`` for an array.
    """
    cosine2 = degrees / (degrees + t * t)
    sine = t / functions.sqrt(degrees + t * t)
    if degrees % 2 == 0:
        return sine * _powers(cosine2, degrees // 2, first=1)
    angle = functions.atan(t / math.sqrt(degrees))
    further = sine * functions.sqrt(cosine2) * _powers(cosine2, degrees // 2, first=2)
    return 2 / math.pi * (angle + further)


def _powers(cosine2: Any, terms: int, first: int) -> Any:
    """1 + first/(first+1) c + first (first+2) / ((first+1)(first+3)) c^2 + ..., so many terms."""
    total, term = 0.0 * cosine2, 1.0 + 0.0 * cosine2
    for number in range(terms):
        total = total + term
        step = first + 2 * number
        term = term * cosine2 * step / (step + 1)
    return total
