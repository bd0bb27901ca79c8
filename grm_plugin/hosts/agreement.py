"""What the rewards of a process depend on, so that all processes of a run can compare it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePath
from typing import Any

import grm_plugin
from grm_plugin.config import GRMConfig
from grm_plugin.grm import GRM
from grm_plugin.hosts.models import PLACES
from grm_plugin.options import Part
from grm_plugin.prompts import is_template_file

Terms = dict[str, str]

_ADDRESS = ("url", "urls", "api_key_env")
_SERVE = ("port", "gpus", "env", "command", "log", "shared", "start_timeout_s")
# what may differ from process to process without changing a reward: addresses, files, waiting;
# settings of ours, by their whole names, since what a plug-in's options mean is not for us to say
_LOCAL = frozenset(
    (
        *(
            "record",
            "page",
            "adapters",
            "request_timeout_s",
            "group_timeout_s",
            "batch_timeout_s",
            "tries",
        ),
        *("max_concurrent_samples", "max_concurrent_groups", "dead_groups", "dead_after_s"),
        *(f"{part}.{name}" for part in PLACES for name in _ADDRESS),
        *(f"{part}.serve.{name}" for part in PLACES for name in _SERVE),
    )
)


def terms(judge: GRM) -> Terms:
    """What decides a reward, as found in this process: a short text for every setting.

    A template is named by its file and a digest of its text, a part also by the distribution
    that offers it, with its version. What a server serves is not known before it is asked, so its
    model is compared only where the settings name it.

    Args:
        judge: with the settings of the run.
    """
    template = judge.template
    return {
        **flat(judge.config.model_dump(mode="json")),
        **{
            f"source of {kind} {name!r}": judge.plugins.source(kind, name)
            for kind, name in _parts(judge)
        },
        "template": f"{PurePath(template.name).name} ({template.digest[:12]})",
        "version of grm-plugin": grm_plugin.__version__,
    }


def _parts(judge: GRM) -> Iterator[tuple[str, str]]:
    """The parts that a plug-in offers and the settings name: kind and name."""
    config: GRMConfig = judge.config
    named: Iterable[tuple[str, Part | None]] = (
        ("engine", config.engine),
        ("contract", config.contract or judge.template.contract),
        ("voter", config.vote),
        ("selector", config.select),
        ("stopper", config.stop),
        ("principle source", config.principles),
        *(("evidence source", part) for part in config.evidence),
    )
    yield from ((kind, part.name) for kind, part in named if part)
    classifier = config.select.options.get("classifier")
    if isinstance(classifier, Mapping) and "name" in classifier:
        yield "classifier", str(classifier["name"])
    if config.scalar and config.scalar.classifier:
        yield "classifier", config.scalar.classifier.name
    if not is_template_file(judge.template.name):
        yield "template", judge.template.name


def flat(values: Mapping[str, Any], prefix: str = "") -> Terms:
    """Settings as texts under dotted names, without those that are a process's own.

    A part stands under the name of its setting, its options below that; parts of a list are
    numbered.

    >>> flat({"k": 8, "engine": {"name": "server", "url": "http://a", "model": "grm"}})
    {'k': '8', 'engine': 'server', 'engine.model': 'grm'}
    >>> flat({"evidence": [{"name": "tests", "url": "http://a"}], "vote": {"name": "mean"}})
    {'evidence.1': 'tests', 'evidence.1.url': 'http://a', 'vote': 'mean'}
    """
    found: Terms = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        if name in _LOCAL:
            continue
        if isinstance(value, list | tuple) and any(isinstance(one, Mapping) for one in value):
            value = {str(number): one for number, one in enumerate(value, 1)}
        if isinstance(value, Mapping):
            found |= flat(value, f"{name}.")
        else:
            found[name.removesuffix(".name")] = str(value)
    return found
