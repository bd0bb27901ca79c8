"""How a request is written for one server: names of its fields, and what the server takes of it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from grm_plugin.engine import SampleRequest
from grm_plugin.errors import ConfigError, quoted, unknown
from grm_plugin.prompts.system import has_system, in_user_turn
from grm_plugin.remote.providers import Provider
from grm_plugin.remote.refusing.blame import (
    blames,
    blames_max_tokens,
    blames_no_template,
    blames_system_turn,
    mentioned,
)
from grm_plugin.types import Message

logger = logging.getLogger(__name__)

NEUTRAL: Mapping[str, Any] = {"top_k": -1, "min_p": 0.0, "repetition_penalty": 1.0}
"""Servers fill these from the checkpoint's ``generation_config.json`` where a request is silent."""

SAMPLING = ("n", "seed", "temperature", "top_p", "max_tokens", "stop", "logprobs", "top_logprobs")
"""What a request says about its draws."""

SYSTEM = "system"
_DECIDING = ("seed", "temperature", "top_p", "max_tokens", "stop")  # a draw is what these make it
_CHANGING_NOTHING = {"top_p": 1.0}
_OTHER_MAX = "max_completion_tokens"
_LESS = {
    SYSTEM: "takes no system turn (%s); its text goes in front of the user's turn",
    "n": "takes no n (%s); each draw is a request of its own",
    "seed": "takes no seed (%s); the same seed will give other judgments",
    "top_p": "takes no top_p beside the temperature (%s); it is 1, and left out",
    "max_tokens": "takes max_completion_tokens in place of max_tokens (%s)",
}
_LOGPROBS = "this contract needs probabilities of tokens: take another one, or another server"
_NEUTRAL_LEFT_OUT = (
    "takes no {} (%s); what it uses instead may come from the checkpoint's generation_config.json"
)

Names = Mapping[str, str | None]
"""What fields are called at the server, by their own names; None leaves a field out."""
Change = tuple[str, str | None]
"""A field, and another name for it."""
Turn = dict[str, str]


class RequestShape:
    """Writes requests as a server takes them, and learns from what it refuses by name.

    Args:
        provider: what is known of the server.
        fields: the user's names of fields, which hold whatever is known or learned.
        extra: the user's further fields; they are sent as they are.
        neutral: whether the values of :data:`NEUTRAL` are sent.
        system: ``turn`` leaves a system turn alone, ``user`` puts its text in front of the user
            turn, ``auto`` does so where the server refuses the turn.
        owner: how messages call the engine.

    Raises:
        ConfigError: a field that requests do not have, or two of one name.
    """

    def __init__(
        self,
        provider: Provider,
        fields: Names,
        extra: Mapping[str, Any],
        *,
        neutral: bool = True,
        system: str = "auto",
        owner: str = "engine 'server'",
    ) -> None:
        self._neutral = NEUTRAL if neutral else {}
        self._extra = {**provider.more, **extra}
        own = {name: name for name in (*SAMPLING, *NEUTRAL)}
        place = {SYSTEM: "user" if system == "user" else "turn"}
        self._names: dict[str, str | None] = {**own, **provider.fields, **fields, **place}
        self._names |= {name: None for name in NEUTRAL if name in extra}
        self._silent = provider.silent - fields.keys()
        self._fixed = {*fields, *extra, *(() if system == "auto" else (SYSTEM,))}
        self._most_draws = provider.most_draws
        _check(owner, fields, self._names, extra)

    @property
    def most_draws(self) -> float:
        """Draws that one request can bring."""
        return 1 if self._names["n"] is None else self._most_draws or float("inf")

    def is_set(self, name: str) -> bool:
        """Whether the user says how a field is called."""
        return name in self._fixed

    @property
    def altered(self) -> dict[str, Any]:
        """What the judge does not get as it was asked for, for the record."""
        unsent = [name for name in _DECIDING if self._names[name] is None]
        told = {"not_sent": unsent} if unsent else {}
        folded = {SYSTEM: "in the user turn"} if self._names[SYSTEM] == "user" else {}
        return {**told, **folded}

    def names(self, changes: Names | None = None) -> Names:
        """How fields are called, with ``changes`` tried besides what is known."""
        return {**self._names, **(changes or {})}

    def written(self, asked: Mapping[str, Any], names: Names) -> dict[str, Any]:
        """The body of a request.

        Args:
            asked: its fields by their own names; ``messages`` are turns of a prompt.
            names: see :meth:`names`.
        """
        turns = self.turns(asked["messages"], names)
        body: dict[str, Any] = {"model": asked["model"], "messages": turns}
        for name, value in {**self._neutral, **asked}.items():
            silent = name in self._silent and _CHANGING_NOTHING.get(name) == value
            if (wire := names.get(name)) and not silent:
                body[wire] = value
        return body | self._extra

    def turns(self, messages: Sequence[Message], names: Names | None = None) -> list[Turn]:
        """``messages`` as the server takes them."""
        folds = (names or self._names)[SYSTEM] == "user"
        shown = in_user_turn(messages) if folds else messages
        return [{"role": message.role, "content": message.content} for message in shown]

    def change(self, asked: Mapping[str, Any], names: Names, said: str) -> Change | None:
        """What else to try where the server refused a request: a field, and its other name.

        It may be another thing that the server refuses: servers quote the body, prompt and all. So
        nothing is changed for good before a request with the change was answered.

        Args:
            asked: as in :meth:`written`.
            names: those of the request that was refused.
            said: the whole of what the server said.
        """
        possible = {
            name: other
            for name, other in self._changeable(asked, said)
            if name not in self._fixed and names[name] not in (None, other)
        }
        if SYSTEM in possible:
            return SYSTEM, "user"
        places = {name: mentioned(str(names[name]), said) for name in possible}
        found = {name: place for name, place in places.items() if place is not None}
        first = min(found, key=found.__getitem__, default=None)
        return None if first is None else (first, possible[first])

    def _changeable(self, asked: Mapping[str, Any], said: str) -> Iterator[Change]:
        """What can be left out of a request, or called otherwise, without a loss."""
        sent = {**self._neutral, **asked}
        yield from ((name, None) for name in (*NEUTRAL, "seed", "n") if name in sent)
        for name, value in _CHANGING_NOTHING.items():
            if sent.get(name) == value:
                yield name, None
        if blames_max_tokens(said):
            yield "max_tokens", _OTHER_MAX
        if has_system(asked["messages"]) and blames_system_turn(said):
            yield SYSTEM, "user"

    def learn(self, changes: Mapping[str, tuple[str | None, str]]) -> None:
        """Keep changes, with which a request was answered, and tell each of them once.

        Args:
            changes: the other name of each field, and what the server said of its own.
        """
        for name, (other, said) in changes.items():
            if self._names[name] != other:
                self._names[name] = other
                words = _LESS.get(name) or _NEUTRAL_LEFT_OUT.format(name)
                logger.warning(f"the judge server {words}", quoted(said))

    def gave(self, found: int, asked: int) -> None:
        """Note that ``found`` draws came where ``asked`` were asked for in one request."""
        if self.most_draws <= found:
            return
        self._most_draws = found
        logger.warning(
            "the judge server gave %d of %d draws that were asked for in one request; "
            "%d a request from now on",
            *(found, asked, found),
        )

    def advice(self, asked: Mapping[str, Any], said: str) -> str:
        """What a user can do about a server that takes no request like ours; empty otherwise.

        Args:
            asked: as in :meth:`written`.
            said: what the server said, of a field of ours or of its chat template.
        """
        if blames_no_template(said):
            return "start the server with the judge's own chat template (vLLM: --chat-template)"
        if blames_system_turn(said):
            return "set system: user, or leave system out of the prompt template"
        for name in (*SAMPLING, *NEUTRAL):
            wire = self._names[name] or name
            if name != "n" and blames(wire, said) and not _in_texts(wire, asked["messages"]):
                return (
                    _LOGPROBS
                    if "logprobs" in name
                    else f"to leave it out: engine.fields: {{{name}: null}}"
                )
        return ""


def _in_texts(word: str, messages: Sequence[Message]) -> bool:
    """Whether a server that quotes the prompt would say this word."""
    return any(word in message.content for message in messages)


def _check(owner: str, fields: Names, names: Names, extra: Mapping[str, Any]) -> None:
    for name in fields:
        if name not in names or name not in (*SAMPLING, *NEUTRAL):
            raise ConfigError(f"{owner}: fields: {unknown('field', name, (*SAMPLING, *NEUTRAL))}")
    named = (wire for name, wire in names.items() if wire and name != SYSTEM)
    sent = ["model", "messages", "stream", *named]
    twice = {name for name in fields.values() if name and sent.count(name) > 1}
    if twice:
        raise ConfigError(f"{owner}: fields: {', '.join(sorted(twice))} is sent already")
    taken = sorted(set(sent) & set(extra))
    if taken:
        raise ConfigError(f"{owner}: extra_body must not set {', '.join(taken)}; see fields")


def asked_of(model: str, request: SampleRequest) -> dict[str, Any]:
    """What a request asks for, by the fields' own names."""
    sampling = request.sampling
    asked: dict[str, Any] = {
        "model": model,
        "messages": request.messages,
        "n": request.n,
        "seed": request.seed,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_tokens": sampling.max_tokens,
    }
    if sampling.stop:
        asked["stop"] = list(sampling.stop)
    if request.logprobs:
        asked |= {"logprobs": True, "top_logprobs": request.logprobs}
    return asked
