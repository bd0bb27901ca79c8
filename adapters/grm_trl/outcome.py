"""The reward of SPCT's online RL in TRL: the policy is the judge, and right is +1, wrong -1."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from grm_plugin import GRMConfig
from grm_plugin.errors import InputError, quoted
from grm_plugin.plugins import Plugins, chosen
from grm_plugin.spct.asking import SINGLE, Asking
from grm_plugin.spct.outcome_metrics import by_subset, numbers
from grm_plugin.spct.rewarding import Outcome, outcome
from grm_plugin.thinking import Thinking
from grm_trl import host
from grm_trl.grouping import whole_groups

_NEEDED = ("label", "responses")


class OutcomeReward:
    """+1 for a judgment that is right, -1 for one that is wrong, cut or unreadable.

    For ``reward_funcs`` of GRPOTrainer and its kin, on the rows of ``grm train rl-data``: the model
    in training is the judge, and what it writes is read as in scoring. There is no other reward.

    It logs, as ``<name>/...``: ``readable``, ``ties``, ``margin``, ``criteria`` and
    ``largest_weight`` of :func:`grm_plugin.spct.outcome_metrics.numbers`, and for every subset
    ``reward`` and ``no_spread``, the share of its groups that move no weight.

    Args:
        config: settings of the judge, as an object or a YAML file; None reads ``GRM_CONFIG``. Only
            template, contract and thinking matter, and the template that the engine prefers.
        single: the template for a single response.
        name: of the reward in metrics.
        plugins: who offers template and contract; None: what is installed.
        settings: stronger than the file, such as ``template="reference"``.

    Raises:
        ConfigError: a setting is wrong, or TRL is missing or too old.
        TemplateError: a template can not be used.
    """

    def __init__(
        self,
        config: GRMConfig | str | Path | None = None,
        *,
        single: str = SINGLE,
        name: str = "outcome",
        plugins: Plugins | Iterable[object] | None = None,
        **settings: Any,
    ) -> None:
        host.check_version(type(self).__name__)
        if isinstance(config, GRMConfig):
            self.config = config.but(**settings)
        else:
            self.config = GRMConfig.load(config, **settings)
        self.single, self.__name__ = single, name
        self._plugins = chosen(plugins)
        self._asking = Asking.of(self.config, single=single, plugins=self._plugins)
        self._thinking = Thinking(self.config.thinking.marks)

    def __repr__(self) -> str:
        return f"OutcomeReward(name={self.__name__!r}, template={self.template!r})"

    @property
    def template(self) -> str:
        """The template whose answers are rewarded."""
        return self._asking.groups.template.name

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (self.config, self.single, self.__name__, self._plugins.given)

    def __call__(
        self, prompts: Sequence[Any], completions: Sequence[Any], **trl: Any
    ) -> list[float]:
        """Rewards of one generation round, in the order of ``completions``.

        Raises:
            InputError: a column is missing, or holds no label of that many responses.
            TemplateError: another template asked.
        """
        outcomes = self.outcomes(completions, **trl)
        rewards = [one.reward for one in outcomes]
        if log := trl.get("log_metric"):
            for key, values in self._numbers(outcomes, rewards, prompts, trl).items():
                for value in values:  # one by one, so that TRL's mean over ranks weighs them alike
                    log(f"{self.__name__}/{key}", value)
        return rewards

    def outcomes(self, completions: Sequence[Any], **trl: Any) -> list[Outcome]:
        """What each completion earns; keywords as TRL has them.

        Raises:
            InputError: as above.
            TemplateError: as above.
        """
        labels, responses = (_column(name, trl, len(completions)) for name in _NEEDED)
        for n, asked in zip(responses, trl.get("template_hash") or (), strict=False):
            self._asking.check_template(n, asked)
        trainer = host.trainer_of(trl)
        opened = self._thinking.ends_open(host.opening(trainer))
        finished = _finished(trl.get("completion_ids"), trainer) or [True] * len(completions)
        return [
            outcome(
                _text(completion),
                labels[i],
                responses[i],
                self._asking.form(responses[i]).reader,
                finished=finished[i],
                opened=opened,
            )
            for i, completion in enumerate(completions)
        ]

    def _numbers(
        self,
        outcomes: Sequence[Outcome],
        rewards: Sequence[float],
        prompts: Sequence[Any],
        trl: Mapping[str, Any],
    ) -> dict[str, list[float]]:
        found = numbers(outcomes)
        size = host.generations(host.trainer_of(trl))
        subsets = [str(one) for one in trl.get("subset") or [f"n{n}" for n in trl["responses"]]]
        groups = whole_groups(list(map(repr, prompts)), size)
        for subset, values in by_subset(rewards, subsets, groups).items():
            found |= {f"{subset}/{key}": told for key, told in values.items()}
        return found


def _column(name: str, trl: Mapping[str, Any], count: int) -> list[int]:
    """The numbers of a column of the data set, one for each completion."""
    values = trl.get(name)
    if values is None:
        raise InputError(
            f"the dataset has no column {name!r}; make its rows with `grm train rl-data`"
        )
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int):
            raise InputError(f"column {name!r}: expected whole numbers, got {quoted(value)}")
    if len(values) != count:
        raise InputError(f"column {name!r}: expected {count} numbers, got {len(values)}")
    return list(values)


def _finished(completion_ids: Sequence[Sequence[int]] | None, trainer: Any) -> list[bool]:
    """Whether each completion ended by itself; nothing where the trainer does not tell its ends."""
    ends = set(getattr(trainer, "eos_token_ids", None) or ())
    tokenizer = getattr(trainer, "processing_class", None)
    tokenizer = getattr(tokenizer, "tokenizer", tokenizer)
    ends |= {getattr(tokenizer, "eos_token_id", None), getattr(tokenizer, "pad_token_id", None)}
    ends -= {None}
    if not (ends and completion_ids):
        return []
    return [bool(ids) and ids[-1] in ends for ids in completion_ids]


def _text(completion: Any) -> str:
    """What the model wrote: a text, or the contents of its messages."""
    if isinstance(completion, str):
        return completion
    return "".join(str(message.get("content") or "") for message in completion)


def _rebuilt(config: GRMConfig, single: str, name: str, given: Iterable[object]) -> OutcomeReward:
    return OutcomeReward(config, single=single, name=name, plugins=given)
