"""The kinds of parts: which hook offers them, and what a part of each kind must be able to do."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from grm_plugin.engine import Limits
from grm_plugin.errors import GRMError, PluginError, quoted


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of parts.

    Args:
        name: as messages and listings call it.
        hook: the hook that offers parts of this kind.
        part: what a factory makes, as a plug-in's author would write it.
        able: what that must have.
    """

    name: str
    hook: str
    part: str = ""
    able: tuple[str, ...] = ()

    def make(self, name: str, factory: Any, options: Mapping[str, Any], limits: Limits) -> Any:
        """The part that ``factory`` makes.

        Raises:
            ConfigError: it does not take the options.
            PluginError: the factory failed, or what it makes is no part of this kind.
        """
        who = f"{self.name} {name!r}"
        try:
            made = factory(options, limits)
        except GRMError:
            raise
        except (Exception, SystemExit) as error:
            raise PluginError(f"{who} can not be made: {error!r}; {self._shape()}") from error
        if missing := [one for one in self.able if not hasattr(made, one)]:
            if inspect.iscoroutine(made):
                made.close()
            raise PluginError(
                f"{who}: {self._shape()}; got {quoted(made)} without {', '.join(missing)}"
            )
        return made

    def _shape(self) -> str:
        return f"{self.hook} offers factory(options, limits) -> {self.part}"


_STARTS = ("start", "close")

KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "engine", "grm_register_engines", "an engine with start, sample, count_tokens, close",
            ("sample", "count_tokens", *_STARTS),
        ),
        Kind(
            "classifier", "grm_register_classifiers", "a classifier with start, logits, close",
            ("logits", *_STARTS),
        ),
        Kind("template", "grm_register_templates"),
        Kind(
            "contract", "grm_register_contracts",
            "a contract with shows, stop, logprobs, forms and read(answer)",
            ("shows", "stop", "logprobs", "forms", "read"),
        ),
        Kind(
            "voter", "grm_register_voters", "voter(scores_K_N, scale) -> rewards_N", ("__call__",)
        ),
        Kind(
            "selector", "grm_register_selectors", "a selector with start, select, close",
            ("select", *_STARTS),
        ),
        Kind("stopper", "grm_register_stoppers", "a stopper"),
        Kind(
            "evidence source", "grm_register_evidence_sources",
            "a source with start, facts(group) -> N texts, close", ("facts", *_STARTS),
        ),
        Kind(
            "principle source", "grm_register_principle_sources",
            "a source with start, principles(group) -> texts, close", ("principles", *_STARTS),
        ),
        Kind(
            "benchmark", "grm_register_benchmarks", "an iterable of groups", ("__iter__",)
        ),
        Kind("adapter", "grm_register_adapters"),
    )
}  # fmt: skip
