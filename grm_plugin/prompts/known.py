"""Judges that people know, and the templates that ask for the answers they were trained on."""

from __future__ import annotations

import re

from grm_plugin.prompts.template import is_template_file

KNOWN: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"deepseek-grm", ("deepseek-grm",)),
    (r"prometheus-(?:\d+b-)?(?:bgb-)?(?:8x7b-)?v?2", ("prometheus-each", "prometheus-pair")),
    (r"rm-r1", ("rm-r1",)),
    (r"(?<![a-z])rrm-\d+b", ("rrm",)),
    (r"think-rm", ("think-rm", "think-rm-graded")),
    (r"(?<![a-z])r3-", ("r3-each", "r3-pair", "r3-binary")),
    (r"rewardanything", ("rewardanything",)),
    (r"compassjudger", ("compass-judger",)),
    (r"skywork-critic", ("skywork-critic",)),
    (r"auto-?j(?:-|$)", ("auto-j-each", "auto-j-pair")),
    (r"judgelrm", ("judge-lrm",)),
    (r"nemotron.*genrm-principle", ("nemotron-principle",)),
    (r"nemotron.*brrm", ("nemotron-brrm",)),
    (r"qwen3-nemotron.*genrm", ("nemotron-genrm-roles",)),
    (r"nemotron.*genrm", ("nemotron-genrm", "nemotron-genrm-each")),
)
"""Names of models, as regular expressions without case, and their templates; the first counts."""


def templates_of(model: str) -> tuple[str, ...]:
    """The templates made for ``model``, the likeliest first; none when it is not known.

    >>> templates_of("BBQGOD/DeepSeek-GRM-16B")
    ('deepseek-grm',)
    """
    for name, templates in KNOWN:
        if re.search(name, model, re.IGNORECASE):
            return templates
    return ()


def advice(model: str, template: str) -> str:
    """What to say when a known judge runs without a template of its own; empty when all is well.

    Args:
        model: the judge's name or path.
        template: the template's name; a file counts as the judge's own.
    """
    own = templates_of(model)
    if not own or template in own or is_template_file(template):
        return ""
    return (
        f"judge {model!r} is asked with template {template!r}, which it was not trained on; set "
        f"template to {' or '.join(map(repr, own))}, or to a file with its published prompt"
    )
