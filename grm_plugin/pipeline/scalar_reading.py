"""What a scalar RM reads of a group: the conversation with one response, or a template's text."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from grm_plugin.classifiers import template_beside
from grm_plugin.errors import TemplateError
from grm_plugin.prompts import Template, load_template
from grm_plugin.prompts.neutralise import Frame
from grm_plugin.types import Group, Message

Conversation = tuple[Message, ...]


def conversations_of(
    group: Group, responses: Sequence[str], control: Sequence[str] = ()
) -> list[Conversation]:
    """A conversation for each response, which is its last turn; in training as in use.

    Args:
        group: whose conversation it is.
        responses: answers to it.
        control: texts that the tokenizer takes for control tokens. They are defused in all turns,
            as are those that chat models have in common.
    """
    clean = _frame(tuple(control)).clean
    before = tuple(Message(turn.role, clean(turn.content)) for turn in group.conversation)
    return [(*before, Message("assistant", clean(text))) for text in responses]


@lru_cache(maxsize=8)
def _frame(control: tuple[str, ...]) -> Frame:
    return Frame((), control=control)


def scalar_template_file(model: str, named: Path | None = None) -> Path | None:
    """The file of what a scalar RM reads; None: it reads its chat template.

    Args:
        model: its folder, or hub id.
        named: a file that goes before the one beside the weights.
    """
    return named or template_beside(model)


def load_scalar_template(path: str) -> Template:
    """The file of what a scalar RM reads, in place of its model's chat template.

    Raises:
        TemplateError: it can not be used, does not show one response alone, or wants a judgment.
    """
    template = load_template(Path(path))
    if template.layout.responses[0] > 1 or template.shows("critique"):
        raise TemplateError(
            f"template {template.name!r} of the scalar RM: expected one that shows one response "
            "alone and has no {{critique}}: a scalar RM reads no judgments"
        )
    return template


def check_shows(template: Template, group: Group, coming: Sequence[str] = ()) -> None:
    """Refuse a group that the template has no place for, also once sources have added to it.

    Args:
        template: as :func:`load_scalar_template` gives it.
        group: that would be rated.
        coming: what sources will add to it: principles, evidence.

    Raises:
        InputError, TemplateError: say what has no place, or is missing.
    """
    template.check(group, 1, coming=coming)
    for what in coming:
        if not template.shows(what):
            raise TemplateError(
                f"group {group.label} gets {what} from a source, but template {template.name!r} of "
                f"the scalar RM has no place for it; add {{{{{what}}}}} to the template"
            )


def texts_of(
    template: Template, group: Group, numbers: Sequence[int], control: Sequence[str] = ()
) -> list[str]:
    """What a template makes of each of some responses alone, its messages joined by blank lines.

    Args:
        template: as :func:`load_scalar_template` gives it.
        group: with its responses.
        numbers: which of them.
        control: as above.

    Raises:
        InputError, TemplateError: it has no place for what the group carries.
    """
    template.check(group, 1)
    prepared = template.prepare(group, control=control)
    return ["\n\n".join(one.content for one in prepared.render((n,))) for n in numbers]
