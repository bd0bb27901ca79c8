"""The reward of SPCT's online RL in OpenRLHF: the actor is the judge, right is +1, wrong -1."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from grm_plugin import GRMConfig
from grm_plugin.errors import InputError, quoted
from grm_plugin.spct.asking import SINGLE, Asking
from grm_plugin.spct.rewarding import Outcome, outcome
from grm_plugin.thinking import Thinking
from grm_plugin.types import Reason

_EXPECTED = (
    "the column `target` of `grm train rl-data` (--data.label_key target), such as "
    '{"label": 0, "responses": 2}'
)


class Tokenizer(Protocol):
    """What is used of the host's tokenizer."""

    def decode(self, token_ids: Sequence[int], *, skip_special_tokens: bool) -> str:
        """The text of some tokens."""


class Outcomes:
    """Scores rollouts of a judge in training.

    Args:
        config: its settings, of which template, contract and thinking matter; None reads
            ``GRM_CONFIG``.
        single: the template for a single response.

    Raises:
        ConfigError: a setting is wrong.
        TemplateError: the template can not be used.
    """

    def __init__(self, config: GRMConfig | None = None, *, single: str = SINGLE) -> None:
        config = config or GRMConfig.load()
        self._asking = Asking.of(config, single=single)
        self._thinking = Thinking(config.thinking.marks)

    def scored(self, output: Mapping[str, Any], tokenizer: Tokenizer) -> dict[str, Any]:
        """What the host's executor returned, with ``reward``, ``scores`` and ``extra_logs``.

        The reward is +1 or -1; the score, which dynamic filtering reads, is 1 or 0.

        Args:
            output: of one rollout.
            tokenizer: the actor's.

        Raises:
            InputError: the label is none.
            TemplateError: another template asked.
        """
        label, responses, asked = _target(output["label"])
        if asked is not None:
            self._asking.check_template(responses, asked)
        found = outcome(
            _answer(output, tokenizer),
            label,
            responses,
            self._asking.form(responses).reader,
            finished=not output["truncated"],
            opened=self._thinking.ends_open(output["prompt"]),
        )
        logs = {**(output.get("extra_logs") or {}), **_logs(found)}
        return {
            **output,
            "reward": found.reward,
            "scores": float(found.right),
            "extra_logs": logs,
        }


def _answer(output: Mapping[str, Any], tokenizer: Tokenizer) -> str:
    """What the actor wrote last; without special tokens, as engines give it."""
    start, end = output["action_ranges"][-1]
    return tokenizer.decode(output["observation_tokens"][start:end], skip_special_tokens=True)


def _target(text: Any) -> tuple[int, int, str | None]:
    """The label and the number of responses of a row, and the digest of its template if known."""
    try:
        found = json.loads(text)
        label, responses = found["label"], found["responses"]
    except (TypeError, ValueError, KeyError):
        raise InputError(f"label: expected {_EXPECTED}, got {quoted(text)}") from None
    for value in (label, responses):
        if isinstance(value, bool) or not isinstance(value, int):
            raise InputError(f"label: expected {_EXPECTED}, got {quoted(text)}")
    return label, responses, found.get("template_hash")


def _logs(found: Outcome) -> dict[str, float]:
    """Always the same numbers, as the host needs it, which logs their means over all rollouts.

    What not every judgment tells stands beside its count: the mean of the judgments that tell a
    margin is ``margin_sum / margin_count``.
    """
    sparse = {
        "margin": found.margin,
        "criteria": found.criteria,
        "largest_weight": found.largest_weight,
    }
    return {
        "outcome/readable": float(found.readable),
        "outcome/truncated": float(found.failure == Reason.TRUNCATED),
        "outcome/tie": float(found.tie),
        **{f"outcome/{name}_sum": float(value or 0) for name, value in sparse.items()},
        **{f"outcome/{name}_count": float(value is not None) for name, value in sparse.items()},
    }
