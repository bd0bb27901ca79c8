"""The checks of ``grm doctor`` that look at one judge, from its settings to its meta RM."""

from __future__ import annotations

import os
import time
import warnings
from functools import cached_property

from grm_plugin.cli import sample
from grm_plugin.cli.checkpoint import sampling_is_ours
from grm_plugin.cli.environment import Check
from grm_plugin.cli.judge import JudgeSettings
from grm_plugin.cli.starting import start
from grm_plugin.config import GRMConfig
from grm_plugin.errors import GRMError, JudgeRefusedError, RefusedError
from grm_plugin.grm import GRM
from grm_plugin.hosts.models import models
from grm_plugin.prompts.known import advice
from grm_plugin.report.terminal import err
from grm_plugin.types import Group, Verdict

_FIXES = {
    "plug-ins": "uninstall the plug-in, or tell its author",
    "config": "`grm plugins` lists the names a configuration can use",
    "record": "choose another file for the setting record",
    "parts": "`grm plugins` lists the names a configuration can use; the file of a template needs "
    "a slash or a suffix in its name",
}
_ENGINE_FIXES = {
    "server": "start one, say `vllm serve MODEL --port 8001`, and name it: "
    "--url http://localhost:8001",
    "transformers": "check --model, and that the extra grm-plugin[transformers] is installed",
    "vllm": "check --model, and that the extra grm-plugin[vllm] is installed",
}


class JudgeChecks:
    """The checks of one judge; each builds on those before it.

    They raise GRMError where a run would, and :meth:`fix` says what to do about it.
    """

    def __init__(self, settings: JudgeSettings) -> None:
        self._settings = settings
        self._made: GRM | None = None

    def __enter__(self) -> JudgeChecks:
        return self

    def __exit__(self, *_: object) -> None:
        if self._made:
            self._made.close()

    def fix(self, step: str, error: GRMError) -> str:
        """What to do when ``step`` raised an error."""
        if isinstance(error, RefusedError | JudgeRefusedError):
            return sample.REFUSED
        if step == "engine":
            return _ENGINE_FIXES.get(self._config.engine.name, "")
        return _FIXES.get(step, "")

    @cached_property
    def _config(self) -> GRMConfig:
        return self._settings.load()

    @cached_property
    def _grm(self) -> GRM:
        """The judge, for one sample in each order and without a record or a scalar RM."""
        config = _impatient(self._config)
        both = {"k": 2, "permutations": None, "shuffle": "balanced"}
        beside = {} if self._alone else {"scalar": None}
        self._made = GRM(config.but(**both, **beside, min_valid=1, record=None))
        return self._made

    @property
    def _alone(self) -> bool:
        """Whether there is a scalar RM and no judge."""
        return not self._config.asks_a_judge

    @property
    def _sample(self) -> Group:
        return sample.sample_for(self._grm.engine, self._grm.template)

    @cached_property
    def _verdict(self) -> Verdict:
        with err.status("asking for two judgments"):
            return self._grm.score(self._sample)

    def settings_load(self) -> Check:
        """Whether the configuration parses, and where it comes from."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # said below
            config = self._config
        names = f"engine {config.engine.name}, k {config.k}, vote {config.vote}"
        detail = f"{names}, select {config.select.name}; file: {self._settings.source}"
        if "engine" not in config.model_fields_set and not self._alone:
            return Check("warn", f"{detail}, no judge named", "name one: --engine, or GRM_CONFIG")
        return Check("ok", detail)

    def record_writable(self) -> Check:
        """Whether the record, if there is one, can be written."""
        path = self._config.record
        if path is None:
            return Check("ok", "none; set record to keep every verdict of every run")
        there = next(each for each in (path, *path.absolute().parents) if each.exists())
        right_kind = there.is_file() if there == path else there.is_dir()
        if right_kind and os.access(there, os.W_OK):
            return Check("ok", f"{path} can be written")
        return Check("fail", f"{there} can not be written", _FIXES["record"])

    def parts_fit(self) -> Check:
        """Whether all parts are there and fit each other; the template's scale."""
        template = self._grm.template
        scale = f"{template.scale.low:g} to {template.scale.high:g}"
        return Check("ok", f"all fit; template {template.name}, scores {scale}")

    def sampling_is_ours(self) -> Check:
        """Whether the checkpoint wants to be sampled in a way of its own."""
        return sampling_is_ours(self._config.engine)

    def engine_starts(self) -> Check:
        """Whether the engine starts and finds its model."""
        started = time.monotonic()
        start(self._grm)
        seconds = time.monotonic() - started
        engine = self._config.engine.name
        detail = f"{engine} runs {self._grm.engine.model}, ready after {seconds:.1f} s"
        if advised := advice(self._grm.engine.model, self._grm.template.name):
            return Check("warn", detail, advised)
        return Check("ok", detail)

    def context_suffices(self) -> Check:
        """How the judge's context divides."""
        context, judgment = self._grm.engine.context_tokens, self._grm.config.max_tokens
        prompt = self._grm.count_tokens(self._sample)
        if context is None or prompt is None:
            return Check("ok", f"the engine can not tell; max_tokens is {judgment}")
        room = context - prompt - judgment
        parts = f"{prompt} for a prompt with two short responses, {judgment} for the judgment"
        detail = f"{context} tokens: {parts}, {room} more for longer groups"
        if room < 0:
            return Check("fail", detail, f"lower max_tokens to at most {context - prompt}")
        return Check("ok", detail)

    def sample_is_read(self) -> Check:
        """Whether judgments of a built-in group can be read."""
        if self._asks_nobody:
            return Check("ok", f"not taken: {self._asks_nobody}")
        return sample.reading(self._verdict)

    def order_is_right(self) -> Check:
        """Whether the good response gets the higher score, wherever it stands."""
        if self._asks_nobody:
            return Check("ok", "not looked at: there is no judgment")
        return sample.order(self._verdict.judgments)

    @property
    def _asks_nobody(self) -> str:
        """Why there is no judge to be asked; empty where there is one."""
        if self._config.engine.name == "replay":
            return "the replay engine asks no judge"
        return "a scalar RM decides alone" if self._alone else ""

    def scalar_rm_rates(self) -> Check:
        """Whether the scalar RM, if one is configured, scores the built-in group, and how."""
        scalar = self._config.scalar
        if scalar is None or scalar.classifier is None:
            return Check("ok", "not used: " + ("no scalar" if scalar is None else "no classifier"))
        return sample.scalar_scores(self._rated)

    @cached_property
    def _rated(self) -> Verdict:
        """The built-in group as the scalar RM alone decides it."""
        config = _impatient(self._config)
        alone = config.scalar and config.scalar.model_copy(update={"use": "alone"})
        with err.status("asking the scalar RM"), GRM(GRMConfig(scalar=alone)) as grm:
            return grm.score(self._sample)

    def meta_rm_rates(self) -> Check:
        """Whether the meta RM, if one is configured, gave those judgments scores."""
        if self._config.select.name != "meta_rm":
            return Check("ok", f"not used: select is {self._config.select.name}")
        for judgment in self._verdict.judgments:
            return Check("ok", f"meta-score {judgment.meta_score} for the first judgment")
        return Check("fail", "there is no judgment that it could rate", "see the line above")


def _impatient(config: GRMConfig) -> GRMConfig:
    """The same judge and models beside it, but servers that are not there are not waited for."""
    servers = (place for place, part in models(config) if part.get("name") == "server")
    return config.but(**{f"{place}.start_timeout_s": 0 for place in servers})
