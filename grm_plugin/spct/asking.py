"""How groups and single responses are asked about when a judge is trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grm_plugin.config import GRMConfig
from grm_plugin.errors import ConfigError, TemplateError, quoted
from grm_plugin.pipeline.building import Form, make_form
from grm_plugin.pipeline.planner import Planner
from grm_plugin.plugins import Plugins, installed
from grm_plugin.prompts import Prepared
from grm_plugin.settings import DEFAULT
from grm_plugin.types import Group, Scale

SINGLE = "grm-single"
"""The built-in template for one response that is right or wrong."""
_RIGHT_OR_WRONG = Scale(0, 1)


@dataclass(frozen=True)
class Asking:
    """The prompts of a judge in training, and what reads its answers.

    Args:
        groups: for N >= 2 responses, scored against each other.
        singles: for one response, scored 0 or 1.
        config: of the judge, with what its engine prefers.
        control: texts that the judge's tokenizer takes for control tokens, besides the usual ones.
    """

    groups: Form
    singles: Form
    config: GRMConfig
    control: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        config: GRMConfig,
        *,
        single: str = SINGLE,
        plugins: Plugins | None = None,
        control: Sequence[str] = (),
    ) -> Asking:
        """The form that ``config`` names for groups, and the template ``single`` for one response.

        Raises:
            ConfigError: a part is not offered, or its answers can not be rewarded: scores come from
                probabilities, or one call does not show a whole group.
            TemplateError: a template can not be used, or ``single`` does not score 0 or 1.
        """
        plugins = plugins or installed()
        if config.engine.name != DEFAULT:
            factory = plugins.get("engine", config.engine.name)
            config = config.filled(getattr(factory, "defaults", {}))
        groups = _checked(make_form(config, plugins))
        one = config.but(template=single, contract=None, plan=None)
        singles = _checked(make_form(one, plugins))
        if singles.template.scale != _RIGHT_OR_WRONG:
            low, high = singles.template.scale
            raise ConfigError(
                f"template {single!r}: expected scores of 0 or 1 for a single response, which is "
                f"right or wrong, got {low:g}..{high:g}; name another with --single"
            )
        return cls(groups, singles, config, tuple(control))

    def form(self, responses: int) -> Form:
        """How so many responses are asked about."""
        return self.singles if responses == 1 else self.groups

    def prepared(self, group: Group) -> Prepared:
        """What a judge sees of ``group`` when it is scored, ready to be rendered in any order."""
        form = self.form(len(group.responses))
        return form.template.prepare(
            group,
            control=self.control,
            forms=form.reader.contract.forms,
            nonce=Planner(self.config).nonce(group.fingerprint),
        )

    def check_template(self, responses: int, digest: str) -> None:
        """Refuse an answer to another template than the one that is named for so many responses.

        Raises:
            TemplateError: says which one is named, and what to do.
        """
        template = self.form(responses).template
        if template.digest != digest:
            raise TemplateError(
                f"template {template.name!r} is not the one that the rows for {responses} "
                f"responses ask with (digest {quoted(digest)}, here {template.digest!r}); name the "
                "same template and single to the reward as to `grm train rl-data`, or make the "
                "rows again"
            )

    def check_sources(self) -> None:
        """Refuse a judge that is shown more than its groups: nobody is asked for that here.

        Raises:
            ConfigError: it has sources of evidence or of principles.
        """
        sources = [*self.config.evidence, *filter(None, [self.config.principles])]
        if sources:
            raise ConfigError(
                f"the judge is shown what {', '.join(repr(one.name) for one in sources)} finds, "
                "and prompts for RL hold only what is in the rows; put it into the rows (evidence, "
                "principles), and leave evidence and principles out of the settings"
            )

    def check(self, group: Group) -> None:
        """Refuse what its template can not show.

        Raises:
            InputError: too few or too many responses, or nothing of what the template needs.
            TemplateError: it has no place for what the group carries.
        """
        self.form(len(group.responses)).template.check(group)


def _checked(form: Form) -> Form:
    contract, name = form.reader.contract, form.named.name
    if form.template.rounds > 1:
        raise ConfigError(
            f"template {form.template.name!r}: expected one in which the judge speaks once, got "
            f"{form.template.rounds} rounds; only one answer is rewarded"
        )
    if contract.shows != "list":
        raise ConfigError(
            f"contract {name!r}: expected one that reads all responses of a group in one answer, "
            f"got one that shows {contract.shows}; its judgments can not be rewarded one by one"
        )
    if contract.logprobs:
        raise ConfigError(
            f"contract {name!r} reads probabilities, and a reward reads texts; name another"
        )
    return form
