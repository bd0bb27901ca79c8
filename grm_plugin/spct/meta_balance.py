"""How much each judgment counts when a meta RM is trained. Pure functions."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Literal

from grm_plugin.spct.meta_data import MetaRow

Balance = Literal["none", "label", "margin"]

_MOST = 10.0  # times the weight of an average row: a rare one does not lead the training

_STRATA: Mapping[Balance, Callable[[MetaRow], Hashable]] = {
    "label": lambda row: None,
    "margin": lambda row: (row.responses, row.margin),
}


def row_weights(rows: Sequence[MetaRow], balance: Balance) -> list[float]:
    """A weight for each row; those above 0 have the mean 1.

    Args:
        rows: the training data.
        balance: `none` weighs all alike, as the paper does. `label` weighs right and wrong
            judgments alike. `margin` does so within each margin (and N), so that the margin alone
            tells nothing; judgments of a margin at which all are right, or all wrong, such as ties
            at the top, then have no weight.

    >>> row = MetaRow("t", 1, 2.0, "g", 2, "c", "train")
    >>> row_weights([row, row], "margin")
    [0.0, 0.0]
    """
    if balance == "none":
        return [1.0] * len(rows)
    stratum = _STRATA[balance]
    number = Counter(stratum(row) for row in rows)
    alike = Counter((stratum(row), row.label) for row in rows)
    shares = [
        number[stratum(row)] / (2 * alike[stratum(row), row.label])
        if alike[stratum(row), 1 - row.label]
        else 0.0
        for row in rows
    ]
    capped = [min(share, _MOST) for share in shares]
    mean = statistics.fmean(share for share in capped if share) if any(capped) else 1.0
    return [share / mean for share in capped]
