"""How the reward server takes calls; the judge's own settings are in ``GRMConfig``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from grm_plugin.hosts.messages import Thinking, UnseenParts
from grm_plugin.options import Options
from grm_plugin.prompts.control import END_TOKENS


class ServingSettings(Options):
    """Limits and rules of ``grm serve``.

    Args:
        queue: most groups at a time that are collected, wait or are judged; more get 429. Responses
            of a group that is in already are always taken.
        queue_per_caller: most of them for one caller, by the name of its token, else its address;
            None: all, though beyond three quarters of the queue all callers have the same share.
        max_calls: most HTTP calls at a time; more get 429.
        max_calls_per_caller: most of them for one caller, as above.
        max_connections: most connections at a time, busy or idle; more get 503.
        max_held_bytes: most bytes of bodies and waiting texts in all calls together that are not
            answered; what is too much gets 503. The process takes several times as much.
        max_body_bytes: longest body of a call; longer ones get 413 and are not kept.
        max_values: most values (numbers, texts, lists, objects) in a body; more get 413: reading
            millions of them would keep everybody else waiting.
        header_timeout_s: how long the head of a call may take to arrive; a trainer on a machine
            that is full to the brim may need seconds from its connection to its first byte.
        body_timeout_s: how long a body may take to arrive; later gets 408.
        body_idle_s: how long nothing of a body may come; then it gets 408.
        answer_timeout_s: how long a caller may read nothing of its answer; then it is cut off.
        keep_alive_s: how long a connection without a call stays open.
        allowed_hosts: more names for the Host header, ``*`` is any; on a loopback address only this
            machine's own names are taken, elsewhere any when there are none here.
        max_groups_per_call: most groups in one call of ``/v1/score``.
        max_draws_per_call: most samples of the judge that one call may cause: groups times k.
        max_responses: most responses of a group.
        max_k: most samples of the judge per group that a call of ``/v1/score`` may ask for.
        max_characters: most characters of a group in ``/v1/score``, prompt and responses together,
            and of a prompt or a query in ``/get_reward``.
        group_size: responses per prompt, for callers that can not send group ids; responses with
            equal prompt and label are put together, this many at a time. None: responses of one
            call with equal prompts are a group.
        flush_s: how long a group waits for its responses, from the first one on.
        partial: what happens to a group of which responses are missing then: ``judge`` those that
            came, or leave it ``unscored``.
        unscored_score: score (not reward) of responses in a group without a reward: OpenRLHF's
            dynamic filtering goes by scores and drops what is outside its range, 0..1 by default.
        remember_s: how long answers are kept for callers that ask again.
        label: what a label of ``/get_reward`` is: ``ignore`` it, it is the ``reference`` answer, or
            the ``conversation`` that was asked, as messages or a text.
        thinking: what the judge sees of a policy's thinking: ``drop`` it, ``keep`` it, or drop it
            and take a response in which no thought was ``closed`` for no answer.
        unseen: parts of messages that the judge can not see, such as images: ``refuse`` them, or
            ``tell`` of them once and judge the text.
        extra_logs: whether answers of ``/get_reward`` have them; OpenRLHF 0.8 can not read them.
        end_marks: special tokens that are cut off the end of a response.
        drain_s: how long calls in flight may take to end after SIGTERM.
        deploy_s: how long the judges of ``--replicas`` may take to be placed and started.
        cpus_per_replica: processors that ``--replicas`` reserves for each judge.
        gpus_per_replica: GPUs that ``--replicas`` reserves for each judge.
    """

    queue: int = Field(1024, ge=1)
    queue_per_caller: int | None = Field(None, ge=1)
    max_calls: int = Field(16384, ge=1)
    max_calls_per_caller: int | None = Field(None, ge=1)
    max_connections: int = Field(20_000, ge=1)
    max_held_bytes: int = Field(512_000_000, ge=1)
    max_body_bytes: int = Field(8_000_000, ge=1)
    max_values: int = Field(250_000, ge=1)
    header_timeout_s: float = Field(60, gt=0)
    body_timeout_s: float = Field(120, gt=0)
    body_idle_s: float = Field(30, gt=0)
    answer_timeout_s: float = Field(30, gt=0)
    keep_alive_s: float = Field(75, gt=0)
    allowed_hosts: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    max_groups_per_call: int = Field(256, ge=1)
    max_draws_per_call: int = Field(16384, ge=1)
    max_responses: int = Field(64, ge=1)
    max_k: int = Field(64, ge=1)
    max_characters: int = Field(1_000_000, ge=1)
    group_size: int | None = Field(None, ge=1)
    flush_s: float = Field(60, gt=0)
    partial: Literal["judge", "unscored"] = "judge"
    unscored_score: float = Field(-1.0, allow_inf_nan=False)
    remember_s: float = Field(900, ge=0)
    label: Literal["ignore", "reference", "conversation"] = "ignore"
    thinking: Thinking = "drop"
    unseen: UnseenParts = "refuse"
    extra_logs: bool = True
    end_marks: tuple[Annotated[str, Field(min_length=1)], ...] = END_TOKENS
    drain_s: float = Field(120, ge=0)
    deploy_s: float = Field(1800, gt=0)
    cpus_per_replica: float = Field(1, ge=0)
    gpus_per_replica: float = Field(0, ge=0)
