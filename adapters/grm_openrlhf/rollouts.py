"""The whole of what happens to a rollout, around whatever the host does to make it."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import ray

from grm_openrlhf.agreement import check_agreed, check_model, findings
from grm_openrlhf.ending import RemoteLedger
from grm_openrlhf.gathering import Gathering
from grm_openrlhf.judging import GroupJudge, Scored
from grm_openrlhf.ledger import Book, Ledger, Share
from grm_openrlhf.metrics import WAIT
from grm_openrlhf.options import options_of
from grm_openrlhf.reading import Reader, Rollout
from grm_openrlhf.recording import of_engine
from grm_openrlhf.rounds import Place, Rounds
from grm_openrlhf.settings import RunSettings
from grm_openrlhf.weightless import without_weight
from grm_plugin import GRM
from grm_plugin.hosts import learning
from grm_plugin.hosts.fallback import PREFIX
from grm_plugin.plugins import Plugins

Execute = Callable[..., Awaitable[dict[str, Any]]]
Answer = tuple[Rollout, Place]


class ScoredRollouts:
    """Rolls responses out and scores them with their group.

    Args:
        roll_out: the host's ``execute``, or that of the user's own agent.
        settings: of the run.
        plugins: for tests; default: everything installed.

    Raises:
        ConfigError: the judge's settings do not fit this machine.
    """

    def __init__(
        self, roll_out: Execute, settings: RunSettings, *, plugins: Plugins | None = None
    ) -> None:
        self._roll_out, self._settings, self._plugins = roll_out, settings, plugins
        self._config = settings.judge_config()
        self._options = options_of(self._config)
        self._reader = Reader(settings, self._options)
        self._gathering = Gathering[Answer, Scored](self._score)
        own = Ledger(settings.groups_per_step, settings.first_step)
        self._book: Book = RemoteLedger() if settings.ledger else own
        self._rounds = {training: self._rounds_of(training) for training in (True, False)}
        self._opening: asyncio.Future[GroupJudge] | None = None
        self._judge: GroupJudge | None = None

    async def execute(
        self, *, prompt: str, label: Any, sampling_params: Any, hf_tokenizer: Any, **more: Any
    ) -> dict[str, Any]:
        """One rollout with ``reward``, ``scores`` and ``extra_logs`` filled in.

        Takes and returns what the host's own executor does.
        """
        training = self._reader.is_training(sampling_params)
        with self._gathering.join(sampling_params, prompt, repr(label)) as seat:
            place = self._rounds[training].enter(seat.group)
            output = await self._roll_out(
                prompt=prompt,
                label="" if self._settings.own_label else label,
                sampling_params=sampling_params,
                hf_tokenizer=hf_tokenizer,
                **more,
            )
            rollout = self._reader.read(prompt, label, sampling_params, output, hf_tokenizer)
            scored = await seat.settle((rollout, place))
        if scored.weightless and training:
            output = without_weight(output, more["max_length"])
        logs: Mapping[str, Any] = output.get("extra_logs") or {}
        return {
            **output,
            "reward": scored.reward,
            "scores": scored.score,
            "extra_logs": {**logs, **scored.logs},
        }

    async def _score(self, answers: Sequence[Answer]) -> Sequence[Scored]:
        if self._opening is None:
            self._opening = asyncio.ensure_future(self._open())
        began = time.monotonic()  # the last sibling has written its last token
        judge = await asyncio.shield(self._opening)
        found = await judge.score([rollout for rollout, _ in answers], answers[0][1])
        waited = {PREFIX + WAIT.name: time.monotonic() - began}
        return [replace(one, logs={**one.logs, **waited}) for one in found]

    def _rounds_of(self, training: bool) -> Rounds:
        return Rounds(
            self._book,
            _actor(),
            training=training,
            hear=self._hear,
            groups_per_step=self._settings.groups_per_step,
        )

    def _hear(self, shares: Sequence[Share]) -> None:
        if self._judge and shares:  # who has judged nothing has nothing to learn yet
            self._judge.hear(shares, _actor())

    async def _open(self) -> GroupJudge:
        here: dict[str, Any] = {}
        if self._settings.template is not None:
            here["template"] = _written(self._settings.template)
        if self._config.record:
            here["record"] = await self._record(self._config.record)
        grm = GRM(self._config.but(**here), plugins=self._plugins)
        grm.spend(self._settings.spent)
        learning.begin(grm, self._config.record, self._settings.first_step)
        found = findings(grm, self._options, self._settings.own_agent)
        check_agreed(self._settings.agreed, found, f"rollout {_actor()}")
        await grm.start_async()
        model = grm.engine.model  # servers tell it where the settings do not
        check_model(await self._book.first("model", model), model, f"rollout {_actor()}")
        self._judge = GroupJudge(grm, self._options, self._settings)
        return self._judge

    async def _record(self, record: Path) -> Path:
        """A file that no other rollout actor writes, of the same name whenever the run goes on."""
        number = await self._book.number(_actor()) if self._settings.ledger else None
        return of_engine(record, _actor() if number is None else number)


def _written(template: str) -> str:
    with tempfile.NamedTemporaryFile("w", suffix=".txt", delete=False, encoding="utf-8") as file:
        file.write(template)
    return file.name


def _actor() -> str:
    """A name that no other rollout actor has, so that each writes a record of its own."""
    actor = ray.get_runtime_context().get_actor_id() if ray.is_initialized() else None
    return f"actor-{actor[:12]}" if actor else f"process-{os.getpid()}"
