"""How many judgments a group gets, and how many of them vote."""

from __future__ import annotations

from pydantic import Field, model_validator

from grm_plugin.options import Options

MAX_K = 1024
"""Most samples of one group, or of one run of a group that was split."""


class Size(Options):
    """k judgments, of which ``k_meta`` vote; None leaves that to the selector's own setting.

    Args:
        k: samples of the judge per group.
        k_meta: how many judgments the meta RM lets vote, at most k.
    """

    k: int = Field(ge=1, le=MAX_K)
    k_meta: int | None = Field(None, ge=1)

    def first(self, drawn: int) -> Size:
        """The size of the first ``drawn`` of the k samples: the same share of them votes.

        >>> Size(k=8, k_meta=4).first(2)
        Size(k=2, k_meta=1)
        """
        return Size(k=drawn, k_meta=self.k_meta and max(1, round(self.k_meta * drawn / self.k)))

    @model_validator(mode="after")
    def _fits(self) -> Size:
        if self.k_meta is not None and self.k_meta > self.k:
            raise ValueError(f"k_meta: expected at most k = {self.k}, got {self.k_meta}")
        return self
