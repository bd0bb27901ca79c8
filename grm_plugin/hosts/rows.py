"""Input rows: one JSON object a line becomes a :class:`Group`, or an error that names the line."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from typing import Annotated, Any, BinaryIO, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)

from grm_plugin.errors import InputError, TemplateError, placed, quoted, unknown
from grm_plugin.hosts.messages import Reader
from grm_plugin.hosts.values import is_missing, optional_text
from grm_plugin.types import Group

MAX_LINE_BYTES = 64 << 20


class Turn(BaseModel):
    """One message of a chat; its content is a text, or parts that are texts."""

    model_config = ConfigDict(extra="forbid", strict=True)

    role: str = Field(min_length=1)
    content: str | list[str | dict[str, Any]] | None = None
    name: str | None = None
    tool_calls: list[dict[str, Any]] | None = None
    tool_call_id: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    thinking: str | None = None

    @field_validator("content", mode="before")
    @classmethod
    def _is_text_or_parts(cls, content: Any) -> Any:
        parts = content if isinstance(content, list) else [content or ""]
        if not all(isinstance(part, str | dict) for part in parts) or isinstance(content, dict):
            raise ValueError("expected a text or a list of parts")
        return content

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.content is None and not self.tool_calls:
            raise ValueError("expected content or tool_calls beside the role")
        return self


_FORMS = ("text", "messages")


def _form(response: Any) -> str:
    return _FORMS[isinstance(response, list)]


Response = Annotated[
    Annotated[str, Tag("text")] | Annotated[list[Turn], Field(min_length=1), Tag("messages")],
    Discriminator(_form),
]


class Row(BaseModel):
    """One line of an input file: a prompt and the responses to judge together.

    ``prompt`` and each response are a text or a list of messages; everything but them may be left
    out. ``evidence`` is one text per response.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    prompt: list[Turn] = Field(min_length=1)
    responses: list[Response] = Field(min_length=1)
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

    @field_validator("reference", mode="before")
    @classmethod
    def _from_column(cls, reference: Any) -> Any:
        known = isinstance(reference, int | float) or is_missing(reference)
        return optional_text(reference, "reference") if known else reference

    @field_validator("metadata")
    @classmethod
    def _of_json(cls, metadata: dict[str, Any]) -> dict[str, Any]:
        try:
            json.dumps(metadata, default=repr, allow_nan=False)
        except ValueError:
            raise ValueError("expected JSON, and NaN is no JSON number") from None
        return metadata

    @model_validator(mode="after")
    def _one_evidence_each(self) -> Self:
        if self.evidence and len(self.evidence) != len(self.responses):
            raise ValueError(
                f"expected evidence for each of {len(self.responses)} responses, "
                f"got {len(self.evidence)}"
            )
        return self

    def group(self, reader: Reader | None = None) -> Group:
        """The group this row describes.

        Args:
            reader: how messages, thinking and parts become text; None: :class:`Reader`'s defaults.

        Raises:
            InputError: the judge can not see a part of it.
        """
        reader = reader or Reader()
        asked = [turn.model_dump() for turn in self.prompt]
        return Group(
            conversation=reader.conversation(asked),
            responses=tuple(reader.response(_plain(one), asked) for one in self.responses),
            id=self.id,
            reference=self.reference,
            principles=tuple(self.principles),
            evidence=tuple(self.evidence),
            metadata=self.metadata,
        )


def _plain(response: str | list[Turn]) -> str | list[dict[str, Any]]:
    return response if isinstance(response, str) else [turn.model_dump() for turn in response]


def read_groups(
    lines: BinaryIO,
    name: str,
    *,
    reader: Reader | None = None,
    check: Callable[[Group], object] | None = None,
) -> Iterator[Group]:
    """The groups of a JSONL stream, one at a time; blank lines are passed over.

    Args:
        lines: the stream, in bytes.
        name: how errors call it, say the file's path.
        reader: as in :meth:`Row.group`.
        check: called with every group; what it refuses is refused here, with the line.

    Raises:
        InputError: names the stream, the line, what was expected and what came.
    """
    number = 0
    while line := lines.readline(MAX_LINE_BYTES + 1):
        number += 1
        try:
            if line.strip():
                yield _checked(line, reader, check)
        except (InputError, TemplateError) as error:
            raise InputError(f"{name}, line {number}: {error}") from error


def _checked(line: bytes, reader: Reader | None, check: Callable[[Group], object] | None) -> Group:
    group = parse_row(line, reader)
    if check is not None:
        check(group)
    return group


def parse_row(line: bytes, reader: Reader | None = None) -> Group:
    """The group of one line, read as :meth:`Row.group` does.

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
    return row_of(values).group(reader)


def _no_number(constant: str) -> float:
    """Python writes a missing number as NaN; whether it may be missing, the field decides."""
    if constant == "NaN":
        return math.nan
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
    key = placed(part for part in problem["loc"] if part not in _FORMS)
    if problem["type"] == "extra_forbidden" and len(problem["loc"]) == 1:
        return unknown("key", str(problem["loc"][0]), Row.model_fields)
    if problem["type"] == "missing":
        return f"expected a key {key!r}, got {', '.join(map(repr, values)) or 'an empty object'}"
    message = str(problem["msg"]).removeprefix("Value error, ")
    message = message.replace("Input should be ", "expected ", 1)
    message = message[:1].lower() + message[1:]
    return f"{key}: {message}, got {quoted(problem['input'])}" if key else message
