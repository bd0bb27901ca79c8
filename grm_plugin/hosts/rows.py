"""Rows: what a line of a file, a call of the server or a dataset says becomes a :class:`Group`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grm_plugin.errors import InputError, quoted
from grm_plugin.hosts.cells import Cells, read_cells, without_blanks
from grm_plugin.hosts.columns import Columns
from grm_plugin.hosts.forms import PAIR, Form, form_of
from grm_plugin.hosts.messages import Reader
from grm_plugin.hosts.strict_json import from_json
from grm_plugin.hosts.values import as_json, is_missing, optional_text, refused, texts
from grm_plugin.types import SURROGATE, Group, digest

MAX_LINE_BYTES = 64 << 20


def group_of(row: Any, reader: Reader | None = None, columns: Columns | None = None) -> Group:
    """The group that a row describes.

    A row has a prompt and the responses to judge together, each a text or a list of messages, in
    one of these forms: ``prompt`` with ``responses`` (or ``completions``), or with one
    ``completion``, or with ``chosen`` and ``rejected``; ``chosen`` and ``rejected`` that begin with
    their prompt; ``messages`` that end with a response. It may have ``id``, ``reference``,
    ``principles``, ``evidence`` (a text for each response), ``image`` or ``images`` and
    ``metadata``; whatever else it has joins the metadata, and for ``chosen`` and ``rejected`` that
    response 0 is the ``best``.

    Args:
        row: an object as JSON has it, or as a table has it.
        reader: how messages, thinking and parts become text; None: :class:`Reader`'s defaults.
        columns: names of the keys in this input; None: their own.

    Raises:
        InputError: names the key, what was expected and what came.

    >>> group_of({"prompt": "2 + 2?", "responses": ["4", "5"], "level": 1}).metadata
    {'level': 1}
    """
    if not isinstance(row, Mapping):
        raise InputError(f"expected a JSON object with prompt and responses, got {quoted(row)}")
    for name in row:
        if not isinstance(name, str):
            raise refused((), "keys that are texts", name)
    keys, own = (columns or Columns()).split(row)
    if isinstance(row, Cells):
        keys, own = read_cells(keys), without_blanks(own)
    form = form_of(keys, row)
    own |= {name: keys.pop(name) for name in form.own}
    return _group(form, keys, own, reader or Reader())


def _group(form: Form, keys: Mapping[str, Any], own: Mapping[str, Any], reader: Reader) -> Group:
    answers = zip(form.responses, form.responses_at, strict=True)
    images = [image for name in ("image", "images") for image in _several(keys.get(name))]
    return Group(
        conversation=reader.conversation(form.prompt, images=images, at=form.prompt_at),
        responses=tuple(reader.response(said, form.prompt, at=at) for said, at in answers),
        id=SURROGATE.sub("\ufffd", optional_text(keys.get("id"), "id") or ""),  # as recorded
        reference=optional_text(keys.get("reference"), "reference"),
        principles=texts(keys.get("principles"), "principles"),
        evidence=_evidence(keys.get("evidence"), len(form.responses)),
        metadata=_metadata(keys.get("metadata"), own) | _chosen(form, keys, own),
    )


def _chosen(form: Form, keys: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Of a pair, that its first response is the best one."""
    if form.responses_at != PAIR:
        return {}
    best = {**own, **(keys.get("metadata") or {})}.get("best")
    if type(best) is int and best != 0:
        raise refused(("best",), "0 beside chosen and rejected", best)
    return {"best": 0 if best is None else best}


def _several(values: Any) -> list[Any]:
    return list(values) if isinstance(values, list | tuple) else [values]


def _evidence(values: Any, responses: int) -> tuple[str, ...]:
    if is_missing(values) or values == []:
        return ()
    if not isinstance(values, list | tuple) or len(values) != responses:
        raise refused(("evidence",), f"evidence for each of {responses} responses", values)
    found = tuple(optional_text(one, f"evidence.{n}") or "" for n, one in enumerate(values))
    return found if any(found) else ()


def _metadata(values: Any, own: Mapping[str, Any]) -> dict[str, Any]:
    if values is not None and not isinstance(values, Mapping):
        raise refused(("metadata",), "an object", values)
    found: dict[str, Any] = as_json(values or {}, ("metadata",))
    for name, value in own.items():
        if name in found:
            raise InputError(f"metadata: {quoted(name)} is there twice, also as a key of the row")
        found[name] = None if is_missing(value) else as_json(value, (name,))
    return found


class Ids:
    """The ids of one input: each names one group. Rows without an id are as many as they like.

    Args:
        advice: what to do about an id that comes again.
    """

    def __init__(self, advice: str = "give each row its own, or none") -> None:
        self._advice = advice
        self._seen: set[int] = set()  # a few bytes an id: of an input of any length

    def add(self, group: Group) -> None:
        """Take the id of ``group``.

        Raises:
            InputError: another group had it.
        """
        if not group.id:
            return
        known = int(digest(SURROGATE.sub("\ufffd", group.id))[:16], 16)
        if known in self._seen:
            raise InputError(
                f"id: expected one for each row, got {quoted(group.id)} again; {self._advice}"
            )
        self._seen.add(known)


def parsed(line: bytes) -> Any:
    """The JSON in one line.

    Raises:
        InputError: the line is too long, not UTF-8, or no JSON as :func:`from_json` reads it.
    """
    if len(line) > MAX_LINE_BYTES:
        raise InputError(f"expected a line of at most {MAX_LINE_BYTES >> 20} MB, got a longer one")
    try:
        return from_json(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InputError(f"expected UTF-8, got {line[error.start : error.end]!r}") from error


def parse_row(line: bytes, reader: Reader | None = None) -> Group:
    """The group of one line, read as :func:`group_of` does.

    Raises:
        InputError: it is no JSON, or not a row.

    >>> parse_row(b'{"prompt": "2 + 2?", "responses": ["4", "5"]}').responses
    ('4', '5')
    """
    return group_of(parsed(line), reader)
