"""Input rows: one JSON object a line becomes a :class:`Group`, or an error that names the line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, NoReturn, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from grm_plugin.errors import InputError, TemplateError, quoted, unknown
from grm_plugin.types import Group

MAX_LINE_BYTES = 64 << 20


class Turn(BaseModel):
    """One message of a chat prompt."""

    model_config = ConfigDict(extra="forbid", strict=True)

    role: str = Field(min_length=1)
    content: str


class Row(BaseModel):
    """One line of an input file: a prompt and the responses to judge together.

    ``prompt`` is a text or a list of messages; everything but it and ``responses`` may be left
    out. ``evidence`` is one text per response.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    prompt: list[Turn] = Field(min_length=1)
    responses: list[str] = Field(min_length=1)
    id: str = ""
    reference: str | None = None
    principles: list[str] = []
    evidence: list[str] = []
    metadata: dict[str, Any] = {}

    @field_validator("prompt", mode="before")
    @classmethod
    def _from_text(cls, prompt: Any) -> Any:
        if isinstance(prompt, str):
            return [{"role": "user", "content": prompt}]
        if not isinstance(prompt, list):
            raise ValueError("expected a text or a list of {role, content} messages")
        return prompt

    @field_validator("id", mode="before")
    @classmethod
    def _from_number(cls, name: Any) -> Any:
        return str(name) if isinstance(name, int) and not isinstance(name, bool) else name

    @model_validator(mode="after")
    def _one_evidence_each(self) -> Self:
        if self.evidence and len(self.evidence) != len(self.responses):
            raise ValueError(
                f"expected evidence for each of {len(self.responses)} responses, "
                f"got {len(self.evidence)}"
            )
        return self

    def group(self) -> Group:
        """The group this row describes."""
        return Group.of(
            [turn.model_dump() for turn in self.prompt],
            self.responses,
            id=self.id,
            reference=self.reference,
            principles=tuple(self.principles),
            evidence=tuple(self.evidence),
            metadata=self.metadata,
        )


def read_groups(
    lines: BinaryIO, name: str, *, check: Callable[[Group], object] | None = None
) -> Iterator[Group]:
    """The groups of a JSONL stream, one at a time; blank lines are passed over.

    Args:
        lines: the stream, in bytes.
        name: how errors call it, say the file's path.
        check: called with every group; what it refuses is refused here, with the line.

    Raises:
        InputError: names the stream, the line, what was expected and what came.
    """
    number = 0
    while line := lines.readline(MAX_LINE_BYTES + 1):
        number += 1
        try:
            if line.strip():
                yield _checked(line, check)
        except (InputError, TemplateError) as error:
            raise InputError(f"{name}, line {number}: {error}") from error


def _checked(line: bytes, check: Callable[[Group], object] | None) -> Group:
    group = parse_row(line)
    if check is not None:
        check(group)
    return group


def parse_row(line: bytes) -> Group:
    """The group of one line.

    Raises:
        InputError: the line is too long, not UTF-8, not a JSON object, or not a row.

    >>> parse_row(b'{"prompt": "2 + 2?", "responses": ["4", "5"]}').responses
    ('4', '5')
    """
    if len(line) > MAX_LINE_BYTES:
        raise InputError(f"expected a line of at most {MAX_LINE_BYTES >> 20} MB, got a longer one")
    try:
        values = json.loads(line.decode("utf-8-sig"), parse_constant=_no_number)
    except UnicodeDecodeError as error:
        raise InputError(f"expected UTF-8, got {line[error.start : error.end]!r}") from error
    except (ValueError, RecursionError) as error:
        text = line.decode("utf-8-sig").strip()
        raise InputError(f"expected a JSON object, got {quoted(text)} ({error})") from error
    return row_of(values).group()


def _no_number(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")


def row_of(values: Any) -> Row:
    """``values`` as a row; for callers that have their rows already.

    Raises:
        InputError: a key is unknown or missing, or a value is of the wrong kind.
    """
    if not isinstance(values, dict):
        raise InputError(f"expected a JSON object with prompt and responses, got {quoted(values)}")
    try:
        return Row.model_validate(values)
    except ValidationError as error:
        raise InputError(_sentence(dict(error.errors()[0]), values)) from None


def _sentence(problem: dict[str, Any], values: dict[str, Any]) -> str:
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden" and len(problem["loc"]) == 1:
        return unknown("key", key, Row.model_fields)
    if problem["type"] == "missing":
        return f"expected a key {key!r}, got {', '.join(map(repr, values)) or 'an empty object'}"
    message = str(problem["msg"]).removeprefix("Value error, ")
    message = message.replace("Input should be ", "expected ", 1)
    message = message[:1].lower() + message[1:]
    return f"{key}: {message}, got {quoted(problem['input'])}" if key else message
