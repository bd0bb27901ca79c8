"""Our own protocol: groups in, verdicts out, in the forms that ``grm score`` reads and writes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from grm_plugin.hosts.rows import Row, Turn
from grm_plugin.records import to_record
from grm_plugin.size import Size
from grm_plugin.types import Cost, Failure, Group, Judgment, Verdict


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


class VerdictRecord(BaseModel):
    """A verdict as one JSON object; the lines of a record file have the same form."""

    version: int
    id: str
    fingerprint: str
    rewards: list[float | None] | None = Field(
        description="one per response, null for one that is unscored; null: all are"
    )
    unscored: str = Field(description="why there are no rewards")
    group: Group
    judgments: list[Judgment]
    failures: list[Failure]
    cost: Cost
    origin: dict[str, Any]


class ScoreAnswer(BaseModel):
    """Answer of ``/v1/score``: a verdict for every group, in their order."""

    verdicts: list[VerdictRecord]


def answer(verdicts: Iterable[Verdict]) -> bytes:
    """The JSON of a :class:`ScoreAnswer`; metadata that is not JSON is written as its ``repr``."""
    records = [to_record(verdict) for verdict in verdicts]
    return json.dumps({"verdicts": records}, default=repr).encode()
