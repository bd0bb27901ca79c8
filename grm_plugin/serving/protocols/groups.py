"""Our own protocol: groups in, verdicts out, in the forms that ``grm score`` reads and writes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from grm_plugin.hosts.rows import Row, Turn
from grm_plugin.records import Line, to_line
from grm_plugin.size import Size
from grm_plugin.types import Verdict


def _or_text(schema: dict[str, Any]) -> None:
    turns = {key: schema.pop(key) for key in ("items", "minItems", "type")}
    schema["anyOf"] = [{"type": "string"}, turns]


class GroupRow(Row):
    """A prompt (a text, or messages) and the responses to judge together."""

    prompt: list[Turn] = Field(min_length=1, json_schema_extra=_or_text)


class ScoreCall(BaseModel):
    """Body of ``POST /v1/score``."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"groups": [{"id": "sum", "prompt": "2 + 2?", "responses": ["4", "5", "four"]}]}
            ]
        },
    )

    groups: list[GroupRow] = Field(min_length=1)
    size: Size | None = Field(None, description="samples per group; null: as configured")


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
