"""What a judge was shown, rendered again from its records: the prompts of fine-tuning."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from grm_plugin.config import GRMConfig
from grm_plugin.errors import InputError, TemplateError, quoted
from grm_plugin.pipeline.building import Form, make_form
from grm_plugin.pipeline.planner import Planner
from grm_plugin.pipeline.sampled import digest_of
from grm_plugin.plugins import Plugins, installed
from grm_plugin.prompts import Prepared
from grm_plugin.spct.hinting import unhinted
from grm_plugin.types import Group, Message, Sample, Verdict

_SETTINGS = ("template", "contract", "nonce", "seed")


class Prompts:
    """Renders the prompts of recorded samples, by the templates that their origins name.

    Args:
        control: texts that the judge's tokenizer takes for control tokens, besides the usual ones.
        plugins: who offers templates; None: what is installed.
    """

    def __init__(self, control: Sequence[str] = (), plugins: Plugins | None = None) -> None:
        self._control, self._plugins = control, plugins or installed()
        self._known: dict[str, tuple[Form, Planner]] = {}

    def of(self, verdict: Verdict, sample: Sample) -> tuple[Message, ...]:
        """The messages that asked for ``sample``, without the hint if they had one.

        Raises:
            InputError: they were others; or the judge speaks several times, or saw a part of the
                group.
            TemplateError: the template is not there any more, or has changed.
        """
        form, planner = self._form(verdict)
        seen, asked = verdict.shown or verdict.group, verdict.group.fingerprint
        nonce = planner.nonce(asked)
        shown = self._prepared(form, seen, nonce).render(sample.order)
        if digest_of(shown) != sample.prompt_hash:
            raise InputError(
                f"group {verdict.group.label}: its prompt can not be rendered as it was (expected "
                f"one with the digest {quoted(sample.prompt_hash)}, got {digest_of(shown)!r}); "
                "sample it again with this release"
            )
        without = unhinted(seen)
        if without == seen:
            return shown
        return self._prepared(form, without, nonce).render(sample.order)

    def _prepared(self, form: Form, group: Group, nonce: str) -> Prepared:
        forms = form.reader.contract.forms
        return form.template.prepare(group, control=self._control, forms=forms, nonce=nonce)

    def _form(self, verdict: Verdict) -> tuple[Form, Planner]:
        """The template and contract of a verdict, made once for all with the same origin."""
        name = json.dumps([verdict.origin.get(one) for one in (*_SETTINGS, "template_hash")])
        if name not in self._known:
            self._known[name] = self._made(verdict.origin)
        return self._known[name]

    def _made(self, origin: Mapping[str, Any]) -> tuple[Form, Planner]:
        settings = {one: origin[one] for one in _SETTINGS if origin.get(one) is not None}
        config = GRMConfig.model_validate(settings)
        form = make_form(config, self._plugins)
        template, hashed = form.template, origin.get("template_hash")
        if template.digest != hashed:
            raise TemplateError(
                f"template {template.name!r} has changed since these trajectories were sampled "
                f"(digest {quoted(hashed)}, now {template.digest!r}); sample them again, or bring "
                "the old file back"
            )
        if template.rounds > 1:
            raise InputError(
                f"template {template.name!r}: expected one in which the judge speaks once, got "
                f"{template.rounds} rounds; only one answer is learned"
            )
        return form, Planner(config)
