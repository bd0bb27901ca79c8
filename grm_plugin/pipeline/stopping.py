"""When enough samples are drawn. A stopper says how many more; it never sees a reward it makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from grm_plugin.engine import Limits
from grm_plugin.errors import PluginError, quoted
from grm_plugin.hookspecs import Register, hookimpl
from grm_plugin.options import Options, read_options
from grm_plugin.pipeline.advantage import Advantage
from grm_plugin.pipeline.case import Case
from grm_plugin.pipeline.ranking import Ranking
from grm_plugin.types import Judgment


class Stopper(Protocol):
    """Decides after every round of draws whether more samples could change the outcome.

    One that goes by rewards may have ``follow(rule)``, which is told once how judgments become
    rewards (a :class:`grm_plugin.pipeline.settling.Rule`), before the first group.
    """

    def more(self, case: Case, judgments: Sequence[Judgment], drawn: int) -> int:
        """How many further samples of each run to draw now; 0 ends the drawing.

        Args:
            case: the group; ``case.size.k`` is the most that may be drawn for each run, and
                ``case.min_valid`` what each run needs for a reward if the drawing ends here.
            judgments: the valid samples so far, of all runs.
            drawn: samples drawn so far for each run, failed ones included.
        """


class StopperFactory(Protocol):
    """What ``grm_register_stoppers`` offers."""

    def __call__(self, options: Mapping[str, Any], limits: Limits) -> Stopper:
        """A stopper; wrong options raise ConfigError."""


class Fixed:
    """All k samples at once."""

    def __init__(self, options: Mapping[str, Any], limits: Limits) -> None:
        read_options(Options, "stopper 'fixed'", options)

    def more(self, case: Case, judgments: Sequence[Judgment], drawn: int) -> int:
        return case.size.k - drawn


def checked_more(stopper: str, more: int, case: Case, drawn: int) -> int:
    """What a stopper asks for, if it may.

    Raises:
        PluginError: it is no number of 0..k - ``drawn``.
    """
    left = case.size.k - drawn
    if isinstance(more, bool) or not isinstance(more, int) or not 0 <= more <= left:
        raise PluginError(
            f"stopper {stopper!r}: expected 0..{left} further samples, got {quoted(more)}"
        )
    return more


@hookimpl
def grm_register_stoppers(register: Register[StopperFactory]) -> None:
    """Offer the built-in stoppers."""
    register("fixed", Fixed)
    register("ranking", Ranking)
    register("advantage", Advantage)
