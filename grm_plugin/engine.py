"""What an engine is: the place where the judge runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from grm_plugin.errors import EngineError
from grm_plugin.types import Control, Group, Message, Scalar, Token


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the judge is sampled.

    ``temperature`` 0 is greedy; ``max_tokens`` bounds one judgment; ``stop`` texts end it.
    """

    temperature: float = 0.5
    top_p: float = 1.0
    max_tokens: int = 2048
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """What an engine must not exceed: draws at a time, seconds per request, tries of one."""

    max_concurrent_samples: int = 256
    request_timeout_s: float = 120.0
    tries: int = 4


@dataclass(frozen=True, slots=True)
class SampleRequest:
    """One prompt and how many draws of it are wanted.

    Args:
        messages: the rendered prompt.
        n: number of draws; draw ``i`` uses seed ``seed + i``.
        seed: 0..2**31 - 1 - n.
        sampling: how to sample.
        group: fingerprint of the group, for pinning its prompts to one replica and for replay.
        first: sample number of the first draw within its run.
        run: the sub-group of the group whose responses are shown.
        logprobs: how many of the likeliest tokens each draw tells at every place of its text, with
            their log probabilities (``Draw.tokens``); 0 asks for none.
    """

    messages: tuple[Message, ...]
    n: int
    seed: int
    sampling: Sampling
    group: str = ""
    first: int = 0
    run: int = 0
    logprobs: int = 0


@dataclass(frozen=True, slots=True)
class Draw:
    """One completion of the judge, as an engine returns it.

    ``finish_reason`` is ``stop`` when the judge ended by itself, ``length`` when it was cut. Others
    drop the sample: ``content_filter`` and ``refusal`` (declined), ``tool_calls``, or any word.
    ``tokens`` are there only when the request asked for probabilities; their texts, joined, are
    the end of ``text`` or all of it. ``said`` holds the judge's texts of the rounds before, for
    judges that speak more than once. ``opened``: the prompt ended inside a thought, as some chat
    templates end it, so that a text in which no thought is closed holds no answer. ``order`` and
    ``meta_score`` are set only by engines that replay the past.

    ``money`` is what it cost in US dollars, where the server told that or the engine looks prices
    up; else, or where the user names prices, it is reckoned from the tokens: ``cached_tokens`` are
    those of the prompt that the server had cached (None: it does not tell), and ``same_prompt``
    draws of one request paid for the prompt once. ``flops`` is reckoned likewise, and told only by
    engines that replay the past.
    """

    text: str
    finish_reason: str
    prompt_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
    tokens: tuple[Token, ...] = ()
    said: tuple[str, ...] = ()
    order: tuple[int, ...] | None = None
    meta_score: float | None = None
    opened: bool = False
    money: float | None = None
    cached_tokens: int | None = None
    same_prompt: int = 1
    flops: float | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What an engine that replays the past knows of a group: how it was judged then.

    Args:
        k: samples of each run; None when the group is not on record.
        control: what a control judge said of it then.
        most: samples that might have been drawn of each, as the verdict's origin has it; None: not
            known.
        runs: the responses that were shown together, by run.
        shown: the group as the judge saw it; None when nothing was added to it.
        plan: the plan that made the runs, as the verdict's origin has it; None: not known.
        scalar: what a scalar RM said of it; None: nothing.
        sure: the sureness from which on its cascade went without the judge, as it was set; None
            where it was no cascade.
    """

    k: int | None = None
    runs: tuple[tuple[int, ...], ...] = ()
    shown: Group | None = None
    plan: object = None
    most: int | None = None
    scalar: Scalar | None = None
    sure: float | None = None
    control: Control | None = None


class Engine(Protocol):
    """Runs the judge. All methods are called on one event loop, which must never be blocked.

    An engine may have more than this: ``check()``, a coroutine that raises EngineError when a judge
    that can go away gives no sign of life, and costs no tokens; ``recorded(group)``, which gives
    the :class:`Recorded` past of a group or None; ``admit(group)``, which raises InputError for a
    group that this judge must not score, before a token is spent; ``abandon()``, a quick function
    that is called in another thread when a part blocks the event loop, and ends at once what this
    engine runs outside of its process; ``turn()``, a coroutine that returns when the judge can take
    the requests of another group, so that no group's time passes in a queue; ``trouble``, why
    requests wait now, empty when they do not; ``most_draws``, how many draws one request to the
    judge brings: no more are asked for at a time, so that each counts that came in time;
    ``control_tokens``, texts that the judge's tokenizer
    takes for control tokens, known once it has started; ``altered``, what the judge does not get
    as it was asked for (a seed that can not be sent), as JSON values by name, which goes into the
    origin of verdicts; ``start_limit_s``, seconds after which its start ends by itself, where that
    may be later than ``batch_timeout_s``; ``flops_per_token``, FLOPs for a
    token that its model reads or writes, or None, for engines that know it once they have started;
    and ``prices``, the :class:`grm_plugin.prices.Prices` of its model or None, for engines that
    look them up when they start.

    A class or function that makes engines is offered with ``grm_register_engines`` and called as
    ``part(options, limits)``. It may carry ``Options``, the model of its options, and
    ``defaults``: settings such as ``template`` or ``temperature`` that hold for this engine where
    the user said nothing.
    """

    model: str
    context_tokens: int | None

    async def start(self) -> None:
        """Make ready; called once before the first sample.

        Raises:
            EngineError: with what is missing and what to do.
        """

    async def sample(self, request: SampleRequest) -> Sequence[Draw | EngineError]:
        """Draw ``request.n`` completions; an error in place of a draw fails that draw alone.

        Cancelling this coroutine (a deadline passed) should stop the work behind it.

        Raises:
            EngineError: all draws of the request failed.
        """

    async def count_tokens(self, messages: Sequence[Message]) -> int | None:
        """Prompt tokens of ``messages``; None when this engine can not tell."""

    async def close(self) -> None:
        """Free what ``start`` took; may be called twice."""


def replays(engine: object) -> bool:
    """Whether an engine gives back what is on record, and so asks nobody and costs nothing."""
    return hasattr(engine, "recorded")


class EngineFactory(Protocol):
    """What ``grm_register_engines`` offers."""

    def __call__(self, options: Mapping[str, Any], limits: Limits) -> Engine:
        """An engine that is not started yet; wrong options raise ConfigError."""
