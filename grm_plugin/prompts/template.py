"""Prompt templates: text files with ``{{places}}``, checked when loaded, rendered in one pass.

A template file is the user message, with optional YAML front matter between ``---`` lines, which
may lay out turns with roles of their own. Places are filled once: what is filled in is never
looked at again, so a response that contains ``{{responses}}`` shows up as just these characters.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from grm_plugin import strict_yaml
from grm_plugin.errors import InputError, TemplateError
from grm_plugin.options import Part
from grm_plugin.prompts.layout import Layout, check_places, places, read_layout
from grm_plugin.prompts.neutralise import Frame
from grm_plugin.prompts.prepared import Prepared, prepare
from grm_plugin.prompts.turns import Turn, with_body
from grm_plugin.types import Group, Scale, digest

_MAX_BYTES = 200_000
_ROLES = ("system", "user", "assistant", "tool")


@dataclass(frozen=True)
class Template:
    """A checked template.

    Args:
        name: how configurations and errors call it.
        turns: the messages with their places, and where the judge speaks.
        layout: the front matter.
        digest: hex digest of the file's text, for records.
    """

    name: str
    turns: tuple[Turn, ...]
    layout: Layout
    digest: str

    @property
    def scale(self) -> Scale:
        """The closed range of a score, in points."""
        return Scale(*self.layout.scale)

    @property
    def contract(self) -> Part:
        """How the judge answers: the contract's name and its options."""
        return self.layout.contract

    @cached_property
    def stop(self) -> tuple[tuple[str, ...], ...]:
        """For every time the judge speaks, the texts that end what it says then."""
        *before, last = _spoken(self.turns)
        return (*before, (*last, *self.layout.stop))

    @property
    def rounds(self) -> int:
        """How many times the judge speaks; the last time is its answer."""
        return len(self.stop)

    def frame(self, *, control: Sequence[str] = (), forms: Sequence[str] = ()) -> Frame:
        """What defuses untrusted text for this template.

        Args:
            control: texts that the judge's tokenizer takes for control tokens.
            forms: regular expressions of the marks in which the judge answers.
        """
        return _frame(self._delimiters, tuple(control), tuple(forms))

    @cached_property
    def _delimiters(self) -> tuple[str, ...]:
        layout = self.layout
        blocks = [layout.response, layout.evidence, layout.reference, layout.principles]
        headings = [line for turn in self.turns for line in _headings(turn.text)]
        return (*blocks, layout.turn, layout.turn_first, *headings)

    def check(
        self, group: Group, together: int | None = None, *, coming: Collection[str] = ()
    ) -> None:
        """Say before the first token whether this template can show ``group``.

        Args:
            group: what would be judged.
            together: how many of its responses one call shows; None: all of them.
            coming: what sources will add to it: principles, evidence.

        Raises:
            InputError: too few or too many responses, nothing of what the template needs, or a turn
                in a role that no conversation has.
            TemplateError: the group carries a reference, principles or evidence and the template
                has no place for them.
        """
        self._check_number(group, together or len(group.responses))
        self._check_roles(group)
        for what in self.layout.needs:
            if what not in coming and not getattr(group, what):
                raise InputError(
                    f"group {group.label}: template {self.name!r} needs {what}, got none"
                )
        for what in ("reference", "principles", "evidence"):
            if getattr(group, what) and not self.shows(what):
                raise TemplateError(
                    f"group {group.label} has {what} but template {self.name!r} has no place "
                    f"for it; add {{{{{what}}}}} to the template or drop the {what}"
                )

    def _check_number(self, group: Group, shown: int) -> None:
        fewest, most = self.layout.responses
        if not fewest <= shown <= most:
            raise InputError(
                f"group {group.label}: template {self.name!r} takes {fewest} to {most} responses, "
                f"got {shown}"
            )

    def _check_roles(self, group: Group) -> None:
        if not any(turn.kind == "conversation" for turn in self.turns):
            return
        for turn in group.conversation:
            if turn.role not in _ROLES:
                raise InputError(
                    f"group {group.label}: template {self.name!r} shows turns of "
                    f"{', '.join(_ROLES)}, got one of {turn.role!r}"
                )

    def shows(self, what: str) -> bool:
        """Whether ``{{what}}`` has a place in this template and in its block, if it has one."""
        here = {place for turn in self.turns for place in places(turn.text)}
        if what == "evidence" and "responses" not in here:
            return "evidence_1" in here
        in_turns = what == "evidence" or what in here
        return in_turns and what in places(getattr(self.layout, what, f"{{{{{what}}}}}"))

    def prepare(
        self,
        group: Group,
        *,
        control: Sequence[str] = (),
        forms: Sequence[str] = (),
        nonce: str = "",
    ) -> Prepared:
        """``group`` with everything untrusted neutralised once, ready to render K orders.

        Args:
            group: what is judged.
            control: texts that the judge's tokenizer takes for control tokens.
            forms: regular expressions of the marks in which the judge answers.
            nonce: a mark that delimiters carry and responses can not know; empty for none.
        """
        frame = self.frame(control=control, forms=forms)
        own = _frame((), tuple(control), ())
        return prepare(self.layout, self.turns, frame, own, group, nonce)


@lru_cache(maxsize=64)
def _frame(delimiters: tuple[str, ...], control: tuple[str, ...], forms: tuple[str, ...]) -> Frame:
    return Frame(delimiters, control=control, forms=forms)


def _spoken(turns: Sequence[Turn]) -> list[tuple[str, ...]]:
    """The stop texts of each time the judge speaks; it always has the last word."""
    spoken = [turn.stop for turn in turns if turn.kind == "judge"]
    return spoken if turns[-1].kind == "judge" else [*spoken, ()]


def _headings(text: str) -> list[str]:
    """Short lines that start with punctuation, such as ``[Responses]`` or ``### Task``.

    Items of a list, quotations and examples of JSON are no headings.
    """
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if 0 < len(line) < 60 and _is_heading(line)]


def _is_heading(line: str) -> bool:
    return not line[0].isalnum() and line[0] not in "-*•\"'`(" and line[:2] not in ('{"', "{'")


def is_template_file(name: str) -> bool:
    """Whether a template's name is a path: anything with a slash or a suffix."""
    return "/" in name or "." in name


def load_template(path: Path, name: str = "") -> Template:
    """Read and check a template file.

    Raises:
        TemplateError: the file is missing, too large, not UTF-8, or its front matter or places
            are wrong. The message names the file and the place.
    """
    name = name or str(path)
    text = _read(path, name)
    front, body = _split(text, name)
    layout = read_layout(name, front)
    turns = with_body(name, layout.turns, body)
    check_places(name, layout, turns)
    return Template(name, turns, layout, digest(text))


def _read(path: Path, name: str) -> str:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise TemplateError(f"template {name!r} is larger than {_MAX_BYTES} bytes; is it one?")
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise TemplateError(
            f"template {name!r} can not be read: {error}; write your prompt into that file, or "
            f"name a template that is offered (`grm plugins` lists them)"
        ) from error
    except (OSError, ValueError) as error:
        raise TemplateError(f"template {name!r} can not be read: {error}") from error


def _split(text: str, name: str) -> tuple[Any, str]:
    """The front matter, as YAML gives it, and the text below it."""
    if not text.startswith("---\n"):
        return {}, text
    front, end, body = text[4:].partition("\n---\n")
    if not end:
        raise TemplateError(f"template {name!r}: the front matter has no closing `---` line")
    try:
        # a block text that ends the front matter keeps its newline
        return strict_yaml.parse(front + "\n") or {}, body
    except ValueError as error:
        raise TemplateError(f"template {name!r}: front matter: {error}") from error
