"""Our own protocol: groups in, verdicts out, in the forms that ``grm score`` reads and writes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from grm_plugin.errors import InputError
from grm_plugin.hosts.messages import Reader
from grm_plugin.hosts.rows import Ids, group_of
from grm_plugin.records import Line, to_line
from grm_plugin.size import Size
from grm_plugin.types import Group, Verdict

_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_TURN = {
    "type": "object",
    "required": ["role"],
    "properties": {
        "role": _TEXT,
        "content": {"anyOf": [_TEXT, {"type": "array"}, {"type": "null"}]},
        "name": _TEXT,
        "tool_calls": {"type": "array"},
    },
}
_TURNS = {"type": "array", "minItems": 1, "items": _TURN}
_SAID = {"anyOf": [_TEXT, _TURNS]}
_ROW: dict[str, Any] = {
    "type": "object",
    "description": "a prompt and the responses to judge together; other keys join the metadata",
    "properties": {
        "prompt": _SAID,
        "responses": {"type": "array", "minItems": 1, "items": _SAID},
        "completions": {"type": "array", "minItems": 1, "items": _SAID},
        "completion": _SAID,
        "chosen": _SAID,
        "rejected": _SAID,
        "messages": _TURNS,
        "id": {"anyOf": [_TEXT, {"type": "integer"}]},
        "reference": {"anyOf": [_TEXT, {"type": "number"}, {"type": "null"}]},
        "principles": {"anyOf": [_TEXT, _TEXTS]},
        "evidence": _TEXTS,
        "metadata": {"type": "object"},
    },
}


class ScoreCall(BaseModel):
    """Body of ``POST /v1/score``; ``groups`` are rows as ``grm score`` reads them."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"groups": [{"id": "sum", "prompt": "2 + 2?", "responses": ["4", "5", "four"]}]}
            ]
        },
    )

    groups: list[Any] = Field(min_length=1, json_schema_extra={"items": _ROW})
    size: Size | None = Field(None, description="samples per group; null: as configured")


def groups_of(call: ScoreCall, reader: Reader) -> list[Group]:
    """The groups of ``call``.

    Raises:
        InputError: names the group, the key, what was expected and what came.
    """
    found, ids = [], Ids()
    for place, row in enumerate(call.groups):
        try:
            group = group_of(row, reader)
            ids.add(group)
        except InputError as error:
            raise InputError(f"groups.{place}: {error}") from error
        found.append(group)
    return found


class ScoreAnswer(BaseModel):
    """Answer of ``/v1/score``: a verdict for every group, in their order.

    Each is what a line of a record file holds. Its ``rewards`` are null when the group is unscored,
    which ``unscored`` explains; a null among them is a response that alone is unscored.
    """

    verdicts: list[Line]


def answer(verdicts: Iterable[Verdict]) -> bytes:
    """The JSON of a :class:`ScoreAnswer`; metadata that is not JSON is written as its ``repr``."""
    lines = (to_line(verdict).rstrip() for verdict in verdicts)
    return b'{"verdicts": [' + b", ".join(lines) + b"]}"
