"""Problems that pydantic finds, in our words: which key, what was expected, what came."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from grm_plugin.errors import on_one_line, unknown

_SHOWN = 200
_TOLD = 3  # problems; each may list every key that there is
# what pydantic calls a problem, and what we expect then
_EXPECTED = {
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "a text",
    "path_type": "a path",
    "literal_error": "{expected}",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "keys and values",
    "mapping_type": "keys and values",
    "model_type": "a name, or keys and values",
}
CALLED_ELSEWHERE = {
    "api_base": "engine.url",
    "api_key": "engine.api_key_env",
    "api_key_env": "engine.api_key_env",
    "base_url": "engine.url",
    "batch_size": "max_concurrent_samples",
    "concurrency": "max_concurrent_samples",
    "device": "engine.device",
    "dtype": "engine.dtype",
    "max_new_tokens": "max_tokens",
    "max_retries": "tries",
    "max_workers": "max_concurrent_samples",
    "model": "engine.model",
    "model_name": "engine.model",
    "n": "k",
    "num_retries": "tries",
    "num_samples": "k",
    "prompt_template": "template",
    "provider": "engine.provider",
    "samples": "k",
    "timeout": "request_timeout_s",
    "url": "engine.url",
}
"""What other libraries call a setting, and where it stands here."""


def explain(where: str, kind: type[BaseModel], error: ValidationError) -> str:
    """A validation error as one sentence per key, with the nearest known key for a stranger.

    Of many the first are told, and how many more there are.
    """
    told = [_one(where, kind, dict(problem)) for problem in error.errors()[:_TOLD]]
    more = error.error_count() - len(told)
    return "; ".join([*told, f"and {more} more"] if more else told)


def _one(where: str, kind: type[BaseModel], problem: dict[str, Any]) -> str:
    key = on_one_line(".".join(str(part) for part in problem["loc"]))[:_SHOWN]
    if problem["type"] == "extra_forbidden":
        return f"{where}: {stranger('key', key, kind.model_fields)}"
    if problem["type"] == "value_error":
        return ": ".join(filter(None, [where, key, wrong(problem)]))
    told = f"{where}: {key or 'settings'}: {wrong(problem)}"
    is_missing_option = problem["type"] == "missing" and where.startswith("engine ")
    return f"{told}; set engine.{key}" if is_missing_option else told


def wrong(problem: Mapping[str, Any], show: Callable[[object], str] | None = None) -> str:
    """One of pydantic's problems in our words: what was expected, and what came.

    Args:
        problem: one of ``ValidationError.errors()``.
        show: how what came is shown; default: as Python writes it, cut.
    """
    if problem["type"] == "value_error":  # a sentence of ours, which says what came
        return str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] == "missing":
        return "required, and not given"
    bounds = {name: _whole(value) for name, value in problem.get("ctx", {}).items()}
    known = _EXPECTED.get(problem["type"], "").format(**bounds)
    said = str(problem["msg"]).replace("Input should be ", "expected ")
    return f"{f'expected {known}' if known else said}, got {(show or shown)(problem['input'])}"


def _whole(value: object) -> object:
    """``0.0`` as people write it."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def stranger(word: str, name: str, known: Collection[str]) -> str:
    """The message for a key or keyword that is no setting: what we call it, if that is known.

    >>> stranger("key", "api_base", ["name", "url"]), stranger("key", "timeout", ["name", "url"])
    ("unknown key 'api_base'; set url", "unknown key 'timeout'; set request_timeout_s")
    """
    setting = CALLED_ELSEWHERE.get(name)
    if setting is None:
        return unknown(word, name, known)
    own = setting.removeprefix("engine.")
    if own == setting or own in known:
        return f"unknown {word} {name!r}; set {own}"
    return f"unknown {word} {name!r}; set {setting}, say engine={{'name': 'server', '{own}': ...}}"


def shown(value: object) -> str:
    """``value`` as Python writes it, cut."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # an integer of thousands of digits, or too deep
        return f"a value of type {type(value).__name__}"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
