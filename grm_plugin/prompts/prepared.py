"""A group that is safe to show, and its messages in any order of the responses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from grm_plugin.prompts.layout import PLACE, Layout, places
from grm_plugin.prompts.neutralise import Frame
from grm_plugin.prompts.turns import Turn
from grm_plugin.types import Group, Message

_BY_NUMBER = {"response_1", "evidence_1"}
"""Places of single responses; a template that has any has these."""


@dataclass(frozen=True)
class Prepared:
    """A group whose texts are safe to insert; renders one order of its responses at a time.

    Args:
        layout: the front matter.
        turns: the messages with their places, and where the judge speaks.
        frame: defuses what others wrote.
        own: defuses control tokens alone, in the judge's own turns.
        conversation: the group's turns, for templates that show them as turns.
        fixed: what fills the places that are alike in every order.
        responses: texts in the group's order.
        evidence: texts in the group's order, empty where there is none.
        nonce: what delimiters carry; empty for none.
    """

    layout: Layout
    turns: Sequence[Turn]
    frame: Frame
    own: Frame
    conversation: tuple[Message, ...]
    fixed: Mapping[str, str]
    responses: Sequence[str]
    evidence: Sequence[str]
    nonce: str = ""

    def render(
        self, order: Sequence[int], critique: str = "", *, said: Sequence[str] = ()
    ) -> tuple[Message, ...]:
        """The messages with the responses in ``order`` (indices of the group).

        Args:
            order: which responses are shown, and in which order.
            critique: a judge's text about them, for a meta RM's template.
            said: what the judge said in its turns so far, without thinking.
        """
        values = self._values(order)
        if critique:
            values["critique"] = self.frame.clean(critique)
        return tuple(self._messages(values, [self.own.clean(text) for text in said]))

    def _messages(self, values: Mapping[str, str], said: list[str]) -> Iterator[Message]:
        if self.layout.system:
            yield Message("system", fill(self.layout.system, values))
        for turn in self.turns:
            if turn.kind == "conversation":
                yield from self.conversation
            elif turn.kind == "message":
                if _says_something(turn.text, values):
                    yield Message(turn.role, fill(turn.text, values))
            elif not said:
                return  # the judge speaks
            else:
                yield Message("assistant", fill(turn.text, {"said": said.pop(0)}))

    def _values(self, order: Sequence[int]) -> dict[str, str]:
        blocks = "".join(self._block(place, n) for place, n in enumerate(order, start=1))
        marked = fill(self.layout.marked, {"nonce": self.nonce}) if self.nonce else ""
        values = {**self.fixed, "n": str(len(order)), "responses": marked + blocks}
        if not _BY_NUMBER & self.fixed.keys():
            return values
        for place, n in enumerate(order, start=1):
            values[f"response_{place}"] = self.responses[n]
            values[f"evidence_{place}"] = self.evidence[n]
        return values

    def _block(self, place: int, n: int) -> str:
        values = {
            "index": str(place),
            "letter": _letter(place),
            "nonce": self.nonce,
            "response": self.responses[n],
            "evidence": self.evidence[n],
        }
        block = fill(self._response, values)
        return block + fill(self._evidence, values) if self.evidence[n] else block

    @cached_property
    def _response(self) -> str:
        return self._carrying(self.layout.response)

    @cached_property
    def _evidence(self) -> str:
        return self._carrying(self.layout.evidence)

    def _carrying(self, layout: str) -> str:
        """``layout`` with the nonce in its delimiters: where it says, else beside the number."""
        if not self.nonce or "nonce" in places(layout):
            return layout
        return PLACE.sub(
            lambda it: f"{it[0]} · {{{{nonce}}}}" if it[1] in ("index", "letter") else it[0], layout
        )


def prepare(
    layout: Layout, turns: Sequence[Turn], frame: Frame, own: Frame, group: Group, nonce: str
) -> Prepared:
    """``group`` with everything untrusted in it cleaned by ``frame``."""
    clean = frame.clean
    fixed = {
        "conversation": _conversation(layout, frame, group),
        "reference": _block(layout.reference, "reference", clean(group.reference or "")),
        "principles": _block(layout.principles, "principles", _bullets(group, frame)),
        "nonce": nonce,
    }
    names = {place for turn in turns for place in places(turn.text)}
    fixed |= {name: "" for name in names if name.startswith(("response_", "evidence_"))}
    return Prepared(
        layout,
        turns,
        frame,
        own,
        tuple(Message(turn.role, clean(turn.content)) for turn in group.conversation),
        fixed,
        [clean(text) if text.strip() else layout.empty_response for text in group.responses],
        [clean(text) for text in group.evidence or ("",) * len(group.responses)],
        nonce,
    )


def fill(text: str, values: Mapping[str, str]) -> str:
    """``text`` with each ``{{place}}`` replaced once; values are not looked into."""
    parts, slots = _parts(text)
    filled = list(parts)
    for at, name in slots:
        filled[at] = values.get(name, filled[at])
    return "".join(filled)


@lru_cache(maxsize=512)
def _parts(text: str) -> tuple[tuple[str, ...], tuple[tuple[int, str], ...]]:
    """A layout cut at its places, and which of its parts are places of which name."""
    parts: list[str] = []
    slots: list[tuple[int, str]] = []
    end = 0
    for place in PLACE.finditer(text):
        parts += (text[end : place.start()], place[0])
        slots.append((len(parts) - 1, place[1]))
        end = place.end()
    return (*parts, text[end:]), tuple(slots)


@lru_cache(maxsize=128)
def _letter(place: int) -> str:
    """A for 1, B for 2, AA for 27."""
    before, last = divmod(place - 1, 26)
    return (_letter(before) if before else "") + chr(ord("A") + last)


def _says_something(text: str, values: Mapping[str, str]) -> bool:
    """Whether a message has no places, or one of them is filled."""
    names = [name for _, name in _parts(text)[1]]
    return not names or any(map(values.get, names))


def _conversation(layout: Layout, frame: Frame, group: Group) -> str:
    turns, clean = group.conversation, frame.clean
    if len(turns) == 1 and turns[0].role == "user" and layout.turn_first:
        return fill(layout.turn_first, {"content": clean(turns[0].content)})
    return "".join(
        fill(layout.turn, {"role": clean(turn.role), "content": clean(turn.content)})
        for turn in turns
    )


def _block(layout: str, name: str, value: str) -> str:
    return fill(layout, {name: value}) if value else ""


def _bullets(group: Group, frame: Frame) -> str:
    return frame.clean("\n".join(f"- {principle}" for principle in group.principles))
