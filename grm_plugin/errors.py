"""One error per boundary. Every message says what, which, expected, got, and what to do.

All errors are picklable: they keep their constructor arguments in ``args``, so they survive Ray,
``multiprocessing`` and ``concurrent.futures``.
"""

from __future__ import annotations

import difflib
import re
import reprlib
from collections.abc import Iterable
from typing import Any

_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,79}")
_CONTAINERS = (dict, list, tuple, set, frozenset)


class GRMError(Exception):
    """Root of every error this package raises on purpose.

    ``verdicts`` are those of a call for several groups that were judged before it was raised.
    """

    verdicts: tuple[Any, ...] = ()


class ConfigError(GRMError):
    """A setting is unknown, of the wrong type, or does not fit another setting."""


class PluginError(GRMError):
    """A plug-in failed to load, misspelt a hook, or offers a name that is taken."""


class TemplateError(GRMError):
    """A prompt template is malformed, or can not show what a group carries."""


class InputError(GRMError):
    """A group can not be judged as given (no responses, bad row, over the context limit).

    ``may_cost``: whether the judge had answered when that was found out.
    """

    may_cost = False


class ContextError(InputError):
    """A group does not fit the judge's context and the configuration says to refuse it."""


class SourceError(GRMError):
    """A source of evidence or principles failed; its group has no reward, and is not to blame."""


class RecordError(GRMError):
    """A record could not be written or read; what was written before is intact."""


class EngineError(GRMError):
    """The judge could not be started, or can not do what was asked of it.

    In place of a draw it may carry what that cost, where the server told: ``prompt_tokens``,
    ``output_tokens`` and ``money`` (US dollars; None: not known), ``cached_tokens`` and
    ``same_prompt`` as draws do. ``may_cost``: whether a draw of which nothing is told may be billed
    all the same, as one is that was sent and brought no answer in time. What never reached the
    judge, or was answered with a refusal or a fault, is not.
    """

    reason = "transport"
    prompt_tokens = 0
    output_tokens = 0
    money: float | None = None
    cached_tokens: int | None = None
    same_prompt = 1
    may_cost = False


class TransportError(EngineError):
    """One request to the judge got no usable answer (connection, HTTP status, garbage)."""

    may_cost = True


class RequestTimeout(EngineError):
    """One request to the judge did not finish within its deadline."""

    reason = "timeout"
    may_cost = True


class RefusedError(EngineError):
    """The judge's server will take no request like ours; another try, or group, changes nothing."""

    reason = "refused"


class DeclinedError(EngineError):
    """The judge, or the filter of who hosts it, would not judge this text; others it may."""

    reason = "declined"


class RecordedFailure(EngineError):
    """A sample that failed when it was recorded, or is not on record at all.

    Args:
        reason: a value of :class:`grm_plugin.types.Reason`.
        message: what was recorded about it.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(reason, message)
        self.reason = reason
        self.message = message

    def __str__(self) -> str:
        return self.message


class JudgeDeadError(GRMError):
    """Too many groups in a row, over too many seconds, had no reward; the run stops."""


class JudgeRefusedError(JudgeDeadError):
    """The judge refuses us for good (key, model, parameters); the run stops at once."""


class BudgetError(JudgeDeadError):
    """The budget might not pay for the next group; the run stops, with nothing scored lost."""


class AlarmError(JudgeDeadError):
    """The rewards have left what the control judge says, and ``watch.alarm`` is ``stop``."""


class TrainingError(GRMError):
    """A model could not be trained; the checkpoints that were written are intact."""


class JudgeClosedError(GRMError):
    """The judge was closed while it was asked, or before a stream of verdicts was at its end."""


class ParseError(GRMError):
    """A judge's text holds no usable scores.

    Args:
        reason: a value of :class:`grm_plugin.types.Reason`, for counting.
        message: what was expected and what came, for people.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(reason, message)
        self.reason = reason
        self.message = message

    def __str__(self) -> str:
        return self.message


def quoted(text: object, limit: int = 80) -> str:
    """``text`` as it may appear in an error message: quoted, on one line, cut at ``limit``.

    Whatever comes from outside can be quoted: of what is large or deep only the start is looked at,
    and what can not be shown at all is called by its type.
    """
    shown = repr(_start(text, limit))
    return shown if len(shown) <= limit else shown[: limit - 2] + "…'"


def _start(value: object, limit: int) -> str:
    if isinstance(value, str):
        return value[: limit + 1]
    try:
        return (_bounded(limit).repr(value) if isinstance(value, _CONTAINERS) else str(value))[
            : limit + 1
        ]
    except Exception:  # its own repr, or an integer of too many digits
        return f"<{type(value).__name__}>"


def _bounded(limit: int) -> reprlib.Repr:
    shown = reprlib.Repr()
    shown.maxstring = shown.maxother = shown.maxlong = limit
    shown.maxdict = shown.maxlist = shown.maxtuple = shown.maxset = shown.maxfrozenset = limit
    return shown


def placed(place: Iterable[object]) -> str:
    """Where something stands, as ``a.b.0``; a name from outside that is no identifier is quoted.

    >>> placed(["messages", 0, "x\\ny"])
    "messages.0.'x\\\\ny'"
    """
    parts = (str(part) for part in place)
    return ".".join(one if _PLAIN.fullmatch(one) else quoted(one) for one in parts)


def on_one_line(text: str) -> str:
    """``text`` without anything that begins a line or moves a terminal's cursor."""
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """The message for a name that is not there, with the nearest one that is."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"unknown {kind} {name!r}; known: {', '.join(names) or 'none'}{hint}"


def not_installed(owner: str, extra: str, error: ImportError) -> EngineError:
    """The error for ``owner``, say ``engine 'vllm'``, whose import failed with ``error``."""
    return EngineError(
        f"{owner} needs a library that can not be imported ({error}); "
        f'pip install "grm-plugin[{extra}]"'
    )
