"""The reward objects: TRL's call in, one reward or None per completion out."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from grm_plugin import GRM, GRMConfig, Size, Verdict
from grm_plugin.hosts import learning
from grm_plugin.hosts.messages import Reader
from grm_plugin.hosts.recorded import when
from grm_plugin.hosts.rounding import check_step, rounded_to
from grm_plugin.plugins import Plugins, chosen
from grm_trl import agreement, budgets, growth, host, settings
from grm_trl.errors import UnscoredError
from grm_trl.grouping import Batch
from grm_trl.joining import is_hidden, join
from grm_trl.ranks import Alone, Ranks, Together, here
from grm_trl.reporting import Reporter
from grm_trl.rows import Row, read_rows
from grm_trl.run_page import RunPage
from grm_trl.truth import check_at, known

Rewards = list[float | None]

_HIDDEN = (
    "another reward calls this one, so the others of the trainer can not be made to abstain with "
    "it; name the judge itself in reward_funcs, or say others: train"
)


@dataclass(frozen=True)
class _Call:
    """One reward call, grouped and ready to be judged."""

    ranks: Ranks
    batch: Batch
    size: Size | None
    trl: Mapping[str, Any]
    started: float


class _Reward:
    """What both reward objects share: settings, opening a call, closing it."""

    def __init__(
        self,
        config: GRMConfig | str | Path | None = None,
        *,
        plugins: Plugins | Iterable[object] | None = None,
        **keywords: Any,
    ) -> None:
        kind = type(self).__name__
        settings.check_keywords(kind, keywords)
        host.check_version(kind)
        plugins = chosen(plugins)
        self._grm, self.options = settings.resolve(config, keywords, plugins)
        check_step("adapter 'trl'", self.options.round_to, self._grm)
        self._check = check_at(self.options.truth, self.options.columns.metadata)
        self._page = RunPage(self.options.page, self._grm.config.record)
        self.config = self._grm.config
        self.__name__ = self.options.name
        self._plugins = plugins
        self._ranks: Ranks | None = None
        self._reader = Reader(
            self.options.thinking, self.options.unseen, self.config.thinking.marks
        )
        self._reporter = Reporter(self.options, self.config, self._grm.watch)

    @property
    def metrics(self) -> dict[str, float]:
        """The numbers of the last call, also for trainers that log none."""
        return self._reporter.numbers

    @property
    def leads(self) -> bool:
        """Whether other rewards of the trainer give None where this one does."""
        return self.options.others == "abstain"

    def close(self) -> None:
        """Stop the judge, and write the ``page``; the next call starts it again."""
        self._grm.close()
        self._page.write()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.__name__!r}, engine={self.config.engine.name!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        own = self.options.model_dump(exclude_unset=True)
        return _rebuilt, (type(self), self.config, own, self._plugins.given)

    def _open(self, prompts: Sequence[Any], completions: Sequence[Any], trl: Any) -> _Call:
        """Everybody's rows as whole groups. Blocks, so that ranks exchange in one order."""
        started, options, trainer = time.monotonic(), self.options, host.trainer_of(trl)
        if self._ranks is None:
            self._ranks = self._joined()
            if options.groups != "local":  # then a rank knows its own groups alone
                learning.begin(self._grm, self.config.record, host.step_of(trl))
            budgets.spend_earlier(self._grm, self.config.record, trl)
        self._page.begin()
        rows = self._ranks.share(lambda: self._rows(prompts, completions, trl))
        size = growth.size_for(self.config.schedule, trl, options.name)
        n = host.generations(trainer) or options.num_generations
        training, step = host.is_training(trainer), host.step_of(trl)
        metadata = when(step, training=training, round_to=options.round_to)
        batch = Batch.of(rows, size=n, metadata=metadata)
        if options.groups == "check":
            batch.refuse_split()
        self._reporter.warn(batch.members, trainer)
        if is_hidden(self, trl):
            self._reporter.warn_once(_HIDDEN)
        return _Call(self._ranks, batch, size, trl, started)

    def _rows(self, prompts: Sequence[Any], completions: Sequence[Any], trl: Any) -> list[Row]:
        trainer = host.trainer_of(trl)
        host.check_name(self.options.name, trainer)
        host.check_generations(self.options.num_generations, trainer)
        rows = read_rows(
            prompts,
            completions,
            trl,
            columns=self.options.columns,
            reader=self._reader,
            opening=host.opening(trainer),
        )
        ratings = known(self._check, prompts, completions, trl)
        return [replace(row, rating=one) for row, one in zip(rows, ratings, strict=True)]

    def _joined(self) -> Ranks:
        """Those to share with; all ranks meet once, also those that then keep to themselves."""
        rank, world = here()
        if world == 1:
            return Alone()
        together = Together(self.config.batch_timeout_s)
        agreement.check(
            together.share(lambda: agreement.terms(self._grm, self.options, self._plugins))
        )
        own = settings.on_rank(self.config, rank, world)
        if own is not self.config:
            self._grm = GRM(own, plugins=self._plugins)
            self._reporter.watch = self._grm.watch
        return Alone() if self.options.groups == "local" else together

    def _close(self, call: _Call, shares: Sequence[Sequence[Verdict]]) -> Rewards:
        learning.learn(self._grm, shares, {call.ranks.index})
        step = self.options.round_to
        verdicts = [rounded_to(step, verdict) for share in shares for verdict in share]
        if self.options.unscored == "stop":
            _stop_if_unscored(verdicts)
        places = call.batch.places(call.ranks.index)
        self._reporter.report(verdicts, places, call.trl, size=call.size, started=call.started)
        rewards = [verdict.rewards for verdict in verdicts]
        return [None if (group := rewards[g]) is None else group[n] for g, n in places]


def _stop_if_unscored(verdicts: Sequence[Verdict]) -> None:
    for verdict in verdicts:
        if not verdict.scored:
            what = f"group {verdict.group.label} is unscored: {verdict.unscored}"
        elif verdict.unscored_responses:
            n, why = min(verdict.unscored_responses.items())
            what = f"response {n + 1} of group {verdict.group.label} is unscored: {why}"
        else:
            continue
        raise UnscoredError(f"{what}; with `unscored: abstain` training would go on without it")


class GRMReward(_Reward):
    """A generative reward model for ``reward_funcs`` of TRL's online trainers.

    Responses to one prompt are judged together, also when TRL spread them over ranks. A group
    that could not be scored gets None for every completion, which GRPO and its kin leave out of
    the advantages; name the judge before other rewards, so that they abstain with it
    (:func:`grm_trl.abstaining`). OnlineDPO and SDPO count None as 0 and A2PO can not take it: say
    ``unscored="stop"`` there.

    Scores of a judge lie close together, and a division by the standard deviation of the group
    turns a difference of 0.01 into a full advantage. So train with ``scale_rewards: batch`` or
    ``none``, and with ``round_to=0.05`` where responses of equal quality should tie. Rewards are
    in 0..1 unless ``vote: sum``; ``reward_weights`` mixes them with other rewards of that range.

    With a ``schedule`` k follows the trainer's steps, or what its log says of the rewards.

    Pickling keeps the settings; the copy starts a judge of its own.

    Args:
        config: settings of the judge, as an object or a YAML file; None reads ``GRM_CONFIG``, and
            without that takes the default judge.
        plugins: as of :class:`grm_plugin.GRM`.
        keywords: fields of :class:`grm_trl.options.TRLOptions` and of
            :class:`grm_plugin.GRMConfig`, such as ``round_to=0.05`` or ``k=16``; stronger than the
            file, where TRL's own stand under ``adapters: {trl: ...}``.

    Raises:
        ConfigError: a setting is wrong, or TRL is missing or too old. Nothing has started then.
    """

    def __call__(self, prompts: Sequence[Any], completions: Sequence[Any], **trl: Any) -> Rewards:
        """Rewards of one generation round, in the order of ``completions``.

        Raises:
            InputError: a mapped column is missing or holds something else.
            JudgeDeadError: no group had a reward, ``dead_groups`` in a row and ``dead_after_s``.
            BudgetError: the judge's ``budget`` might not pay for the next group.
            RankError: these or any other error, when it happened on one of several ranks.
        """
        if member := join(self, trl):
            rewards: Rewards = member(prompts, completions, **trl)
            return rewards
        call = self._open(prompts, completions, trl)
        groups = call.batch.share(call.ranks.index)
        return self._close(
            call, call.ranks.share(lambda: self._grm.score_batch(groups, size=call.size))
        )


class AsyncGRMReward(_Reward):
    """:class:`GRMReward` with an async ``__call__``, judged while other async rewards run.

    For GRPO, RLOO and GMPO. With one reward it is no faster than the sync one.
    """

    async def __call__(
        self, prompts: Sequence[Any], completions: Sequence[Any], **trl: Any
    ) -> Rewards:
        """:meth:`GRMReward.__call__`, awaited."""
        if member := join(self, trl):
            rewards: Rewards = await member(prompts, completions, **trl)
            return rewards
        call = self._open(prompts, completions, trl)
        groups = call.batch.share(call.ranks.index)
        shares = await call.ranks.share_async(self._grm.score_batch_async(groups, size=call.size))
        return self._close(call, shares)


def _rebuilt(
    kind: type[_Reward], config: GRMConfig, own: dict[str, Any], given: Iterable[object]
) -> _Reward:
    return kind(config, plugins=given, **own)
