"""Prompt templates: text files with ``{{places}}``, checked when loaded, rendered in one pass.

A template file is the user message, with optional YAML front matter between ``---`` lines.
Places are filled once: what is filled in is never looked at again, so a response that contains
``{{responses}}`` shows up as just these characters.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError, model_validator

from grm_plugin.errors import InputError, TemplateError, quoted
from grm_plugin.options import Part, explain
from grm_plugin.prompts.neutralise import Frame
from grm_plugin.types import Group, Message, Scale

_PLACE = re.compile(r"\{\{\s*([a-z_]+)\s*\}\}")
_MAX_BYTES = 200_000


class Layout(BaseModel):
    """The front matter of a template file; every field has a default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scale: tuple[FiniteFloat, FiniteFloat] = (1, 10)
    responses: tuple[int, int] = Field((1, 64), description="fewest and most responses")
    system: str = ""
    turn: str = "{{role}}: {{content}}\n"
    turn_first: str = Field("", description="used instead of `turn` when there is one user turn")
    response: str = (
        "[The Begin of Response {{index}}]\n{{response}}\n[The End of Response {{index}}]\n"
    )
    empty_response: str = "(this response is empty)"
    evidence: str = "[Evidence on Response {{index}}]\n{{evidence}}\n"
    reference: str = "\n[Reference Answer]\n{{reference}}\n"
    principles: str = "\n[Principles to Use]\n{{principles}}\n"

    @model_validator(mode="after")
    def _ordered(self) -> Layout:
        if not self.scale[0] < self.scale[1]:
            raise ValueError(f"scale: expected [lowest, highest], got {list(self.scale)}")
        if not 1 <= self.responses[0] <= self.responses[1]:
            raise ValueError(f"responses: expected [fewest, most], got {list(self.responses)}")
        return self


_PLACES = {
    "template": {"conversation", "responses", "n", "principles", "reference", "critique"},
    "system": {"n"},
    "turn": {"role", "content"},
    "turn_first": {"content"},
    "response": {"index", "response"},
    "evidence": {"index", "evidence"},
    "reference": {"reference"},
    "principles": {"principles"},
}


@dataclass(frozen=True)
class Template:
    """A checked template.

    Args:
        name: how configurations and errors call it.
        body: the user message with its places.
        layout: the front matter.
        digest: hex digest of the file's text, for records.
    """

    name: str
    body: str
    layout: Layout
    digest: str

    contract = Part(name="boxed")
    rounds = 1
    stop: tuple[tuple[str, ...], ...] = ((),)

    @property
    def scale(self) -> Scale:
        """The closed range of a score, in points."""
        return Scale(*self.layout.scale)

    @cached_property
    def _frame(self) -> Frame:
        layout = self.layout
        blocks = [layout.response, layout.evidence, layout.reference, layout.principles]
        return Frame([*blocks, layout.turn, layout.turn_first, *_headings(self.body)])

    def clean(self, text: str) -> str:
        """Untrusted ``text`` with look-alikes of this template's frame defused."""
        return self._frame.clean(text)

    def check(self, group: Group) -> None:
        """Say before the first token whether this template can show ``group``.

        Raises:
            InputError: too few or too many responses.
            TemplateError: the group carries a reference, principles or evidence and the template
                has no place for them.
        """
        fewest, most = self.layout.responses
        if not fewest <= len(group.responses) <= most:
            raise InputError(
                f"group {group.label}: template {self.name!r} takes {fewest} to {most} responses, "
                f"got {len(group.responses)}"
            )
        for what in ("reference", "principles", "evidence"):
            if getattr(group, what) and not self.shows(what):
                raise TemplateError(
                    f"group {group.label} has {what} but template {self.name!r} has no place "
                    f"for it; add {{{{{what}}}}} to the template or drop the {what}"
                )

    def shows(self, what: str) -> bool:
        """Whether ``{{what}}`` has a place in this template and in its block, if it has one."""
        in_body = what == "evidence" or what in _PLACE.findall(self.body)
        return in_body and what in _PLACE.findall(getattr(self.layout, what, f"{{{{{what}}}}}"))

    def prepare(
        self,
        group: Group,
        *,
        control: Sequence[str] = (),
        forms: Sequence[str] = (),
        nonce: str = "",
    ) -> Prepared:
        """``group`` with everything untrusted neutralised once, ready to render K orders."""
        clean, layout = self.clean, self.layout
        evidence = group.evidence or ("",) * len(group.responses)
        fixed = {
            "conversation": self._conversation(group),
            "reference": _block(layout.reference, "reference", clean(group.reference or "")),
            "principles": _block(layout.principles, "principles", _bullets(group, clean)),
        }
        shown = [clean(text) if text.strip() else layout.empty_response for text in group.responses]
        return Prepared(self, fixed, tuple(shown), tuple(map(clean, evidence)))

    def _conversation(self, group: Group) -> str:
        turns, clean, layout = group.conversation, self.clean, self.layout
        if len(turns) == 1 and turns[0].role == "user" and layout.turn_first:
            return fill(layout.turn_first, {"content": clean(turns[0].content)})
        return "".join(
            fill(layout.turn, {"role": clean(turn.role), "content": clean(turn.content)})
            for turn in turns
        )


@dataclass(frozen=True)
class Prepared:
    """A group whose texts are safe to insert; renders one order of its responses at a time."""

    template: Template
    fixed: Mapping[str, str]
    responses: Sequence[str]
    evidence: Sequence[str]

    def render(
        self, order: Sequence[int], critique: str = "", *, said: Sequence[str] = ()
    ) -> tuple[Message, ...]:
        """The messages with the responses in ``order`` (indices of the group).

        ``critique`` is a judge's text about them, for a meta RM's template.
        """
        blocks = "".join(self._block(place, n) for place, n in enumerate(order, start=1))
        values = {**self.fixed, "n": str(len(order)), "responses": blocks}
        if critique:
            values["critique"] = self.template.clean(critique)
        user = Message("user", fill(self.template.body, values))
        if not self.template.layout.system:
            return (user,)
        return (Message("system", fill(self.template.layout.system, values)), user)

    def _block(self, place: int, n: int) -> str:
        layout, index = self.template.layout, str(place)
        block = fill(layout.response, {"index": index, "response": self.responses[n]})
        if self.evidence[n]:
            block += fill(layout.evidence, {"index": index, "evidence": self.evidence[n]})
        return block


def fill(text: str, values: Mapping[str, str]) -> str:
    """``text`` with each ``{{place}}`` replaced once; values are not looked into."""
    return _PLACE.sub(lambda place: values.get(place[1], place[0]), text)


def _headings(body: str) -> list[str]:
    """Short lines that start with punctuation, such as ``[Responses]`` or ``### Task``."""
    lines = (line.strip() for line in body.splitlines())
    return [line for line in lines if 0 < len(line) < 60 and not line[0].isalnum()]


def _block(layout: str, name: str, value: str) -> str:
    return fill(layout, {name: value}) if value else ""


def _bullets(group: Group, clean: Callable[[str], str]) -> str:
    return "\n".join(f"- {clean(principle)}" for principle in group.principles)


def load_template(path: Path, name: str = "") -> Template:
    """Read and check a template file.

    Raises:
        TemplateError: the file is missing, too large, not UTF-8, or its front matter or places
            are wrong. The message names the file and the place.
    """
    name = name or str(path)
    text = _read(path, name)
    front, body = _split(text, name)
    layout = _layout(front, name)
    _check_places(name, body, layout)
    return Template(name, body, layout, hashlib.blake2b(text.encode(), digest_size=16).hexdigest())


def _read(path: Path, name: str) -> str:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise TemplateError(f"template {name!r} is larger than {_MAX_BYTES} bytes; is it one?")
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateError(f"template {name!r} can not be read: {error}") from error


def _split(text: str, name: str) -> tuple[str, str]:
    if not text.startswith("---\n"):
        return "", text
    front, end, body = text[4:].partition("\n---\n")
    if not end:
        raise TemplateError(f"template {name!r}: the front matter has no closing `---` line")
    return front + "\n", body  # a block text that ends the front matter keeps its newline


def _layout(front: str, name: str) -> Layout:
    try:
        return Layout.model_validate(yaml.safe_load(front) or {})
    except yaml.YAMLError as error:
        raise TemplateError(f"template {name!r}: front matter: {error}") from error
    except ValidationError as error:
        raise TemplateError(explain(f"template {name!r}: front matter", Layout, error)) from None


def _check_places(name: str, body: str, layout: Layout) -> None:
    for part, allowed in _PLACES.items():
        text = body if part == "template" else getattr(layout, part)
        for place in _PLACE.findall(text):
            if place not in allowed:
                raise TemplateError(
                    f"template {name!r}: unknown place {{{{{place}}}}} in its {part}; "
                    f"known there: {', '.join(sorted(allowed))}"
                )
    for needed, text in (
        ("conversation", body),
        ("responses", body),
        ("response", layout.response),
    ):
        if needed not in _PLACE.findall(text):
            raise TemplateError(
                f"template {name!r} has no {{{{{needed}}}}}; write it where the {needed} "
                f"should stand, got {quoted(text)}"
            )
