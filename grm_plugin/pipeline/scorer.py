"""The pipeline: render -> sample -> parse -> select -> vote. One group in, one verdict out."""

from __future__ import annotations

import asyncio
import hashlib
import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from grm_plugin.config import GRMConfig
from grm_plugin.contracts.boxed import parse_principles, parse_scores
from grm_plugin.engine import Engine, SampleRequest, Sampling
from grm_plugin.engines.replay import ReplayEngine
from grm_plugin.errors import (
    ContextError,
    EngineError,
    InputError,
    ParseError,
    PluginError,
    TransportError,
    quoted,
)
from grm_plugin.pipeline import planning
from grm_plugin.pipeline.planning import Showing
from grm_plugin.pipeline.selecting import Selection, Selector, failed
from grm_plugin.pipeline.voting import Voter
from grm_plugin.prompts import Prepared, Template
from grm_plugin.size import MAX_K, Size
from grm_plugin.types import (
    Cost,
    Draw,
    Failure,
    Group,
    Judgment,
    Message,
    Reason,
    Verdict,
)

# Chat templates add a few control tokens that are not in the text.
_FRAME_TOKENS = 64
# A response is measured as number 1; a longer number in its delimiters takes a little more.
_NUMBER_TOKENS = 6
# The share of a group's time that is kept for the selector.
_SELECTING = 0.1

Sample = Judgment | Failure


@dataclass(frozen=True)
class Scorer:
    """The parts that turn a group into a verdict; all of it runs on one event loop."""

    config: GRMConfig
    engine: Engine
    template: Template
    selector: Selector
    voter: Voter
    evidence_sources: Mapping[str, Any]

    async def judge(self, group: Group, size: Size | None, *, deadline: float) -> Verdict:
        """Score one group.

        Args:
            group: what to judge.
            size: how many samples to draw; None is the configured number, or in a replay the
                recorded one where ``k`` was left out.
            deadline: ``time.monotonic()`` after which open samples are dropped as ``timeout``.

        Raises:
            InputError: the group can not be judged as given; no token was spent.
            PluginError: the voter gave no usable rewards.
        """
        started = time.monotonic()
        deadline = min(deadline, started + self.config.group_timeout_s)
        group, prepared, runs = await self._prepare(checked(group), deadline)
        copy_of = _copies(group, runs)
        size = size or self._usual_size(group)
        drawn_by = deadline - _SELECTING * (deadline - started)
        samples = await self._draw(group, prepared, self._plan(group, runs, size), drawn_by)
        selection = await self._select(group, samples, runs, size, deadline)
        rewards, unscored = self._vote(selection, runs, copy_of, size)
        cost = _cost(samples, seconds=time.monotonic() - started)
        return Verdict(
            group,
            rewards,
            tuple(_with_copies(judgment, copy_of) for judgment in selection.judgments),
            selection.failures,
            unscored,
            cost,
            self.origin(size),
        )

    def origin(self, size: Size) -> dict[str, Any]:
        """What makes the reward of a group of that size what it is, for records."""
        config = self.config
        settings = (
            *("temperature", "top_p", "max_tokens", "stop_texts", "seed"),
            *("min_valid", "duplicates", "over_context"),
        )
        return {
            "engine": config.engine.name,
            "model": self.engine.model,
            "template": self.template.name,
            "template_hash": self.template.digest,
            "k": size.k,
            "k_meta": size.k_meta,
            "permutations": config.shuffles(size),
            "vote": str(config.vote),
            "evidence": [str(part) for part in config.evidence],
            "select": config.select.model_dump(mode="json"),
            **{name: getattr(config, name) for name in settings},
        }

    async def _prepare(
        self, group: Group, deadline: float
    ) -> tuple[Group, Prepared, list[tuple[int, ...]]]:
        try:
            async with asyncio.timeout_at(deadline):
                group = await self._with_evidence(group)
                self.template.check(group)
                prepared = self.template.prepare(group)
                return group, prepared, await self._runs(group, prepared)
        except TimeoutError:
            raise InputError(
                f"group {group.label}: the deadline passed before the first sample; evidence "
                "sources or the judge's tokenizer are too slow"
            ) from None

    async def _with_evidence(self, group: Group) -> Group:
        if not self.evidence_sources:
            return group
        texts = [group.evidence] if group.evidence else []
        for name, source in self.evidence_sources.items():
            texts.append(await _facts(name, source, group))
        return replace(
            group, evidence=tuple("\n".join(filter(None, row)) for row in zip(*texts, strict=True))
        )

    async def _runs(self, group: Group, prepared: Prepared) -> list[tuple[int, ...]]:
        """The responses to judge: in one run, or in overlapping runs that each fit the judge."""
        if isinstance(self.engine, ReplayEngine):
            return self.engine.recorded_runs(group)
        members = tuple(range(len(group.responses)))
        if self.config.duplicates == "merge":
            members = planning.distinct(group.responses)[0]
        if self.engine.context_tokens is None:
            return [members]
        room = self.engine.context_tokens - self.config.max_tokens
        whole = prepared.render(members)
        # a token is at least one byte, so most groups need no tokenizer to know that they fit
        if _bytes(whole) + _FRAME_TOKENS <= room:
            return [members]
        tokens = await self.engine.count_tokens(whole)
        if tokens is None or tokens <= room:
            return [members]
        if self.config.over_context == "refuse":
            raise ContextError(
                f"group {group.label}: {tokens} prompt tokens and max_tokens "
                f"{self.config.max_tokens} are over the judge's context of "
                f"{self.engine.context_tokens}; set over_context: split, or lower max_tokens"
            )
        return await self._split(group, prepared, members, room)

    async def _split(
        self, group: Group, prepared: Prepared, members: Sequence[int], room: int
    ) -> list[tuple[int, ...]]:
        frame = await self.engine.count_tokens(prepared.render(())) or 0
        counts = [await self.engine.count_tokens(prepared.render((n,))) or 0 for n in members]
        try:
            sizes = [count - frame + _NUMBER_TOKENS for count in counts]
            runs = planning.subgroups(sizes, budget=room - frame)
        except ContextError as error:
            raise ContextError(f"group {group.label}: {error}") from None
        return [tuple(members[place] for place in run) for run in runs]

    def _usual_size(self, group: Group) -> Size:
        config = self.config
        if isinstance(self.engine, ReplayEngine) and "k" not in config.model_fields_set:
            return Size(k=self.engine.recorded_k(group) or config.k)
        return config.size

    def _plan(self, group: Group, runs: Sequence[tuple[int, ...]], size: Size) -> list[Showing]:
        return [
            showing
            for number, run in enumerate(runs)
            for showing in planning.plan(
                run,
                k=size.k,
                permutations=self.config.shuffles(size),
                seed=self.config.seed,
                fingerprint=group.fingerprint,
                first=number * MAX_K,
            )
        ]

    async def _draw(
        self, group: Group, prepared: Prepared, showings: Sequence[Showing], deadline: float
    ) -> list[Sample]:
        tasks = {asyncio.create_task(self._show(group, prepared, one)): one for one in showings}
        try:
            left = max(0.0, deadline - time.monotonic())
            done, _ = await asyncio.wait(tasks, timeout=left, return_when="FIRST_EXCEPTION")
            for task in done:
                task.result()  # a refusal or a bug ends the group; failed samples are values
            found = [
                task.result() if task in done else _late(one, left) for task, one in tasks.items()
            ]
            return [sample for samples in found for sample in samples]
        finally:
            for task in tasks:
                task.cancel()

    async def _show(self, group: Group, prepared: Prepared, showing: Showing) -> list[Sample]:
        messages = prepared.render(showing.order)
        config = self.config
        sampling = Sampling(config.temperature, config.top_p, config.max_tokens, config.stop_texts)
        request = SampleRequest(
            messages, showing.n, showing.seed, sampling, group.fingerprint, showing.first
        )
        draws: Sequence[Draw | EngineError]
        try:
            draws = _exactly(showing.n, await self.engine.sample(request))
        except EngineError as error:
            draws = [error] * showing.n
        digest = _digest(messages)
        return [self._read(group, showing, i, draw, digest) for i, draw in enumerate(draws)]

    def _read(
        self, group: Group, showing: Showing, i: int, draw: Draw | EngineError, digest: str
    ) -> Sample:
        number, seed = showing.first + i, showing.seed + i
        if isinstance(draw, EngineError):
            return Failure(
                number, showing.order, seed, Reason(draw.reason), str(draw), prompt_hash=digest
            )
        order = draw.order or showing.order
        judgment = Judgment(
            sample=number,
            order=order,
            seed=seed,
            text=draw.text,
            scores=(),
            prompt_hash=digest,
            meta_score=draw.meta_score,
            prompt_tokens=draw.prompt_tokens,
            output_tokens=draw.output_tokens,
            seconds=draw.seconds,
        )
        try:
            shown = _scores(draw, len(order), self.template)
        except ParseError as error:
            return failed(judgment, Reason(error.reason), error.message)
        return replace(
            judgment,
            scores=planning.unshuffle(shown, order, len(group.responses)),
            principles=parse_principles(draw.text),
        )

    async def _select(
        self,
        group: Group,
        samples: Sequence[Sample],
        runs: Sequence[object],
        size: Size,
        deadline: float,
    ) -> Selection:
        """Select within each run, so that every response keeps judgments that vote."""
        parts = [Selection((), tuple(one for one in samples if isinstance(one, Failure)))]
        for number in range(len(runs)):
            valid = [
                one
                for one in samples
                if isinstance(one, Judgment) and one.sample // MAX_K == number
            ]
            if valid:
                parts.append(await self._select_run(group, valid, size, deadline))
        return Selection(
            tuple(judgment for part in parts for judgment in part.judgments),
            tuple(failure for part in parts for failure in part.failures),
        )

    async def _select_run(
        self, group: Group, valid: Sequence[Judgment], size: Size, deadline: float
    ) -> Selection:
        try:
            async with asyncio.timeout_at(deadline):
                return await self.selector.select(group, valid, size)
        except TimeoutError:
            detail = "the group's deadline passed before the selector answered"
            return Selection((), tuple(failed(one, Reason.TIMEOUT, detail) for one in valid))

    def _vote(
        self,
        selection: Selection,
        runs: Sequence[tuple[int, ...]],
        copy_of: Sequence[int],
        size: Size,
    ) -> tuple[tuple[float, ...] | None, str]:
        """N rewards, or None and why not. A response in several runs gets the mean of them."""
        rewards: dict[int, list[float]] = {}
        for number, run in enumerate(runs):
            valid = [one for one in selection.judgments if one.sample // MAX_K == number]
            if len(valid) < self.config.enough(size):
                return None, self._too_few(valid, selection.failures, size)
            rows = [_row(one, run) for one in valid if one.voted]
            if not rows:
                return None, f"selector {self.config.select.name!r} let none of {len(valid)} vote"
            for n, reward in zip(run, self._voted(rows), strict=True):
                rewards.setdefault(n, []).append(reward)
        means = {n: sum(found) / len(found) for n, found in rewards.items()}
        return tuple(means[n] for n in copy_of), ""

    def _voted(self, rows: Sequence[Sequence[float]]) -> Sequence[float]:
        rewards = self.voter(rows, self.template.scale)
        if len(rewards) != len(rows[0]) or not all(map(math.isfinite, rewards)):
            raise PluginError(
                f"voter {self.config.vote.name!r}: expected {len(rows[0])} finite rewards, "
                f"got {quoted(rewards)}"
            )
        return rewards

    def _too_few(self, valid: Sequence[Judgment], failures: Sequence[Failure], size: Size) -> str:
        counts: dict[str, int] = {}
        for failure in failures:
            counts[failure.reason] = counts.get(failure.reason, 0) + 1
        reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items()))
        example = f"; first: {failures[0].detail}" if failures else ""
        return (
            f"{len(valid)} of {size.k} samples are valid, min_valid is "
            f"{self.config.enough(size)} (dropped: {reasons or 'none'}{example})"
        )


def checked(group: Group) -> Group:
    """``group``, if it can be judged at all.

    Raises:
        InputError: no responses, no conversation, something other than text, or evidence for
            another number of responses.
    """
    if not group.responses:
        raise InputError(f"group {group.label}: expected at least one response, got none")
    if not group.conversation:
        raise InputError(f"group {group.label}: expected a conversation, got no turns")
    if group.evidence and len(group.evidence) != len(group.responses):
        raise InputError(
            f"group {group.label}: expected evidence for each of {len(group.responses)} "
            f"responses, got {len(group.evidence)}"
        )
    for where, text in _texts(group):
        if not isinstance(text, str):
            raise InputError(f"group {group.label}: {where}: expected a text, got {text!r}")
    return group


async def _facts(name: str, source: Any, group: Group) -> tuple[str, ...]:
    try:
        found = tuple(await source.facts(group))
    except Exception as error:  # a plug-in's failure costs its group the reward, not the others
        raise InputError(
            f"group {group.label}: evidence source {name!r} failed: {error!r}"
        ) from error
    if len(found) != len(group.responses) or not all(isinstance(text, str) for text in found):
        raise InputError(
            f"group {group.label}: expected {len(group.responses)} texts from evidence source "
            f"{name!r}, got {quoted(found)}"
        )
    return found


def _texts(group: Group) -> Iterator[tuple[str, object]]:
    for place, turn in enumerate(group.conversation):
        yield f"role of turn {place}", turn.role
        yield f"turn {place}", turn.content
    for kind in ("responses", "principles", "evidence"):
        for place, text in enumerate(getattr(group, kind)):
            yield f"{kind}[{place}]", text
    yield "reference", group.reference or ""


def _exactly(n: int, draws: Sequence[Draw | EngineError]) -> Sequence[Draw | EngineError]:
    """``n`` draws; those that an engine left out count as failed."""
    if len(draws) == n:
        return draws
    missing = TransportError(f"expected {n} draws from the engine, got {len(draws)}")
    return [*draws[:n], *[missing] * (n - len(draws))]


def _scores(draw: Draw, n: int, template: Template) -> tuple[float, ...]:
    if draw.finish_reason == "length":
        raise ParseError(Reason.TRUNCATED, "the judge was cut at max_tokens before it finished")
    if draw.finish_reason != "stop":
        raise ParseError(Reason.UNREADABLE, f"the judge did not finish: {draw.finish_reason}")
    return parse_scores(draw.text, n=n, scale=template.scale)


def _late(showing: Showing, waited_s: float) -> list[Sample]:
    detail = f"no answer within the group's deadline ({waited_s:.1f} s)"
    return [
        Failure(showing.first + i, showing.order, showing.seed + i, Reason.TIMEOUT, detail)
        for i in range(showing.n)
    ]


def _copies(group: Group, runs: Iterable[Iterable[int]]) -> tuple[int, ...]:
    """For every response the index of the one judged for it: itself, or its first copy."""
    judged = {n for run in runs for n in run}
    first = planning.distinct(group.responses)[1]
    return tuple(n if n in judged else first[n] for n in range(len(first)))


def _row(judgment: Judgment, run: Iterable[int]) -> list[float]:
    return [score for n in run if (score := judgment.scores[n]) is not None]


def _with_copies(judgment: Judgment, copy_of: Sequence[int]) -> Judgment:
    """Give every duplicate the score of the copy that was shown."""
    if all(n == copy for n, copy in enumerate(copy_of)):
        return judgment
    return replace(judgment, scores=tuple(judgment.scores[n] for n in copy_of))


def _cost(samples: Iterable[Sample], *, seconds: float) -> Cost:
    samples = list(samples)
    return Cost(
        sum(sample.prompt_tokens for sample in samples),
        sum(sample.output_tokens for sample in samples),
        seconds,
    )


def _bytes(messages: Iterable[Message]) -> int:
    return sum(len(message.content.encode()) for message in messages)


def _digest(messages: Iterable[Message]) -> str:
    text = "\0".join(f"{message.role}\0{message.content}" for message in messages)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
