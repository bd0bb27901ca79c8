"""The forms in which rows hold a prompt and its responses, as datasets for trainers have them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from grm_plugin.errors import InputError, quoted
from grm_plugin.hosts.columns import told_missing
from grm_plugin.hosts.turns import Said, Turn, as_turns, said
from grm_plugin.hosts.values import Place, refused

Keys = Mapping[str, Any]

_FORMS: tuple[tuple[str, ...], ...] = (
    ("responses",),
    ("completions",),
    ("completion",),
    ("chosen", "rejected"),
    ("messages",),
)
_ANSWERS = ("assistant", "tool")
PAIR: tuple[Place, ...] = (("chosen",), ("rejected",))
"""Where the responses of a pair stand; the first is the better one."""


@dataclass(frozen=True, slots=True)
class Form:
    """What a row asks.

    Args:
        prompt: what the responses go on from.
        responses: N of them.
        prompt_at: where the prompt stands in the row.
        responses_at: where each response does.
        own: keys that say nothing beside those that do, so that they are columns of the input's.
    """

    prompt: Said
    responses: tuple[Said, ...]
    prompt_at: Place
    responses_at: tuple[Place, ...]
    own: tuple[str, ...] = ()


class _NoPrompt(InputError):
    """There is nothing that the responses go on from."""


def form_of(keys: Keys, names: Iterable[str]) -> Form:
    """The prompt and the responses in the keys of a row.

    Args:
        keys: of the row.
        names: of all its columns, for errors.

    Raises:
        InputError: there are none, too many, or they are no texts and no messages.
    """
    found = [form for form in _FORMS if any(_has(keys, key) for key in form)]
    if not found:
        raise _nothing(keys, names)
    several = [form for form in found if form != ("messages",)]
    if len(several) > 1:
        listed = [key for form in several for key in form if key in keys]
        raise InputError(
            f"expected one of {', '.join(listed)}, got several; in a file `--columns {listed[-1]}=`"
            " leaves one out"
        )
    try:
        return _read(found[0], keys)
    except _NoPrompt as error:
        raise InputError(f"{error}, {told_missing('prompt', names)}") from None


def _read(form: tuple[str, ...], keys: Keys) -> Form:
    if form == ("messages",):
        return _of_messages(keys)
    if form == ("chosen", "rejected"):
        return _of_pair(keys)
    prompt, at, own = _prompt(keys)
    key = form[0]
    if key == "completion":
        return Form(prompt, (said(keys[key], (key,)),), at, ((key,),), own)
    places: tuple[Place, ...] = tuple((key, n) for n in range(len(_listed(keys[key], key))))
    responses = tuple(said(one, at) for one, at in zip(keys[key], places, strict=True))
    return Form(prompt, responses, at, places, own)


def _has(keys: Keys, key: str) -> bool:
    return keys.get(key) is not None


def _listed(values: Any, key: str) -> list[Any] | tuple[Any, ...]:
    if not isinstance(values, list | tuple):
        raise refused((key,), "a list of texts or messages (one alone is a completion)", values)
    if not values:
        raise refused((key,), "at least one response", values)
    if all(isinstance(one, Mapping) for one in values):
        raise refused((key,), "a list of responses (one as messages is a completion)", values)
    return values


def _nothing(keys: Keys, names: Iterable[str]) -> InputError:
    for key in (key for form in _FORMS for key in form):
        if key in keys:
            return refused((key,), "responses", keys[key])
    return InputError(
        "expected a key 'responses' (or completions, completion, chosen and rejected, messages), "
        + told_missing("responses", names)
    )


def _prompt(keys: Keys) -> tuple[Said, Place, tuple[str, ...]]:
    """The prompt, its place, and what says nothing beside it."""
    if _has(keys, "prompt") or ("prompt" in keys and not _has(keys, "messages")):
        return said(keys["prompt"], ("prompt",)), ("prompt",), _beside(keys, "messages")
    if not _has(keys, "messages"):
        raise _NoPrompt("expected a key 'prompt'")
    turns = as_turns(said(keys["messages"], ("messages",)))
    if turns[-1].role == "assistant":
        raise InputError(
            "messages: expected a last turn that is answered by the responses, got one of the "
            "assistant; if they go on from it, name it prompt"
        )
    return turns, ("messages",), ()


def _of_messages(keys: Keys) -> Form:
    """One response: the turns of the assistant, and of its tools, that end the chat."""
    at: Place = ("messages",)
    turns = said(keys["messages"], at)
    if isinstance(turns, str):
        raise refused(at, "a list of messages with role and content", turns)
    start = _end_of_prompt(turns)
    if start == len(turns):
        raise refused((*at, start - 1), "a last turn of the assistant", f"one of {turns[-1].role}")
    if not start or turns[start].role != "assistant":
        raise refused(
            (*at, start), "a turn of the assistant, after one that asks", turns[start].role
        )
    _check_shared(keys, turns[:start], at)
    return Form(turns[:start], (turns[start:],), at, (at,), _beside(keys, "prompt"))


def _end_of_prompt(turns: tuple[Turn, ...]) -> int:
    """Behind the last turn of somebody who asks."""
    return max((i for i, turn in enumerate(turns, 1) if turn.role not in _ANSWERS), default=0)


def _of_pair(keys: Keys) -> Form:
    """Two responses: the chosen one first."""
    chosen, rejected = _pair(keys)
    own, places = _beside(keys, "messages"), PAIR
    if _has(keys, "prompt") and not _begins_with_prompt(chosen):
        return Form(said(keys["prompt"], ("prompt",)), (chosen, rejected), ("prompt",), places, own)
    length = shared_length(chosen, rejected)
    asked, answers = chosen[:length], (chosen[length:], rejected[length:])
    if not asked or (isinstance(asked, str) and not asked.strip()):
        raise _NoPrompt(
            "expected a key 'prompt', or chosen and rejected that begin with the same prompt"
        )
    if not isinstance(asked, str):
        _check_shared(keys, asked, ("chosen",))
        for answer, (key,) in zip(answers, places, strict=True):
            if _begins_with_prompt(answer):
                raise refused((key, length), "a turn of the assistant", answer[0])
    return Form(asked, answers, ("chosen",), places, (*own, *_beside(keys, "prompt")))


def _pair(keys: Keys) -> tuple[Said, Said]:
    for key, other in (("chosen", "rejected"), ("rejected", "chosen")):
        if not _has(keys, key):
            raise refused((key,), f"a response beside {other}", keys.get(key))
    chosen, rejected = said(keys["chosen"], ("chosen",)), said(keys["rejected"], ("rejected",))
    if chosen == rejected:
        raise refused(("rejected",), "another response than the chosen one", keys["rejected"])
    if isinstance(chosen, str) != isinstance(rejected, str):
        raise refused(("rejected",), "a text or messages as chosen is", keys["rejected"])
    return chosen, rejected


def _begins_with_prompt(answer: Said) -> bool:
    return not isinstance(answer, str) and answer[0].role not in _ANSWERS


def _beside(keys: Keys, key: str) -> tuple[str, ...]:
    return (key,) if key in keys else ()


def shared_length(chosen: Said, rejected: Said) -> int:
    """How much of two responses is their prompt: what they begin with, as TRL takes them apart.

    Of texts it ends before a space; something is left of each. Where one only goes on after
    the other, it is all but the last, spaces and all.

    >>> shared_length("The sky is blue.", "The sky is green.")
    10
    """
    both = min(len(chosen), len(rejected))
    length = next((i for i in range(both) if chosen[i] != rejected[i]), None)
    if length is None:
        return max(0, both - 1)
    return length - 1 if length and chosen[length - 1] == " " else length


def _check_shared(keys: Keys, asked: tuple[Turn, ...], at: Place) -> None:
    """Refuse a prompt that is another one than that of the messages beside it."""
    if not _has(keys, "prompt"):
        return
    prompt = as_turns(said(keys["prompt"], ("prompt",)))
    contents = [turn.parts for turn in asked]
    if any(turn.parts not in contents for turn in prompt):
        raise InputError(
            f"prompt: expected what {at[0]} begins with, or no prompt beside it, got "
            f"{quoted(keys['prompt'])}"
        )
