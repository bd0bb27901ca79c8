"""Every rank of a run rewards by the same settings, or none goes on."""

from __future__ import annotations

from collections.abc import Sequence

from grm_plugin import GRM
from grm_plugin.errors import quoted
from grm_plugin.hosts import agreement
from grm_plugin.hosts.agreement import Terms
from grm_plugin.hosts.comparing import ByValue, differences
from grm_plugin.plugins import Plugins
from grm_trl.errors import RankError
from grm_trl.options import TRLOptions


def terms(grm: GRM, options: TRLOptions, plugins: Plugins) -> Terms:
    """What the rewards of this rank depend on: a text for every setting.

    Args:
        grm: the judge.
        options: of the adapter.
        plugins: what is installed; the parts they offer are terms, too.
    """
    return {
        **agreement.terms(grm),
        **agreement.flat(options.model_dump(mode="json")),
        **{f"{offer.kind} {offer.name!r}": "offered" for offer in plugins.offers()},
    }


def check(terms_by_rank: Sequence[Terms]) -> None:
    """Compare what all ranks said; every rank comes to the same end.

    Raises:
        RankError: names every setting that differs, and who has which value.
    """
    found = sorted(differences(terms_by_rank).items())
    differing = [f"{name} is {_who(by_value)}" for name, by_value in found]
    if differing:
        raise RankError(
            "the ranks of this run have different settings, so their rewards would not compare: "
            f"{'; '.join(differing)}; start every rank with the same settings and packages"
        )


def _who(by_value: ByValue) -> str:
    return ", ".join(
        f"{_shown(value)} on rank{'s' * (len(ranks) > 1)} {_numbers(ranks)}"
        for value, ranks in by_value.items()
    )


def _shown(value: str | None) -> str:
    return quoted("nothing" if value is None else value)


def _numbers(ranks: Sequence[int]) -> str:
    shown = ", ".join(map(str, ranks[:8]))
    return f"{shown} and {len(ranks) - 8} more" if len(ranks) > 8 else shown
