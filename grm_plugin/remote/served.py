"""What a server says of itself at the start, and what it means when it says nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from grm_plugin.errors import EngineError, RequestTimeout, quoted
from grm_plugin.remote.refusing.faults import Fault, Nowhere
from grm_plugin.remote.refusing.refusals import Forbidden, KeyRefused, NotFound, Refused
from grm_plugin.remote.replicas import Replica


@dataclass(frozen=True, slots=True)
class Served:
    """What a server said about itself.

    Args:
        models: the names of its models.
        context_tokens: of the smallest of them, where it tells.
        lists: whether it has a list of models at all.
    """

    models: tuple[str, ...] = ()
    context_tokens: int | None = None
    lists: bool = False

    @classmethod
    def of(cls, listing: Any, replica: Replica) -> Served:
        """What the JSON at ``/v1/models`` says.

        Raises:
            EngineError: it is no list of models.
        """
        try:
            models = [dict(model) for model in listing["data"]]
            names = tuple(str(model["id"]) for model in models)
        except (KeyError, TypeError, ValueError):
            raise EngineError(
                f"{replica}: expected a list of models at /v1/models, got {quoted(listing)}; is it "
                "a judge server?"
            ) from None
        lengths = [model.get("max_model_len") for model in models]
        known = [length for length in lengths if type(length) is int and length > 0]
        return cls(names, min(known, default=None), lists=True)


def may_judge(error: EngineError, *, shows: bool, model: str) -> bool:
    """Whether a server that gives no list of models may judge all the same.

    Args:
        error: in place of the list.
        shows: whether its provider has a list for who comes with our key.
        model: of the judge; empty when the list should tell.
    """
    if not shows:  # any answer is a sign of life
        return isinstance(error, NotFound | KeyRefused | Forbidden | Refused)
    # a key may have a right to one model, and none to the list
    return isinstance(error, NotFound | Forbidden if model else NotFound)


def may_pass(error: EngineError) -> bool:
    """Whether a server that can not be used now may be usable later."""
    return isinstance(error, Fault | RequestTimeout) and not isinstance(error, Nowhere)
