"""The page of all settings, and tables of the options of parts: made of their classes."""

from __future__ import annotations

import inspect
import re

from pydantic.fields import FieldInfo

from grm_plugin.config import GRMConfig
from grm_plugin.engines.litellm import LiteLLMOptions
from grm_plugin.engines.replay import ReplayOptions
from grm_plugin.engines.server import ServerOptions
from grm_plugin.engines.vllm import VLLMOptions
from grm_plugin.local.options import ClassifierOptions, LocalModelOptions
from grm_plugin.options import Options
from grm_plugin.pipeline.selectors import MetaRMOptions, WeightsOptions
from grm_plugin.pipeline.weighing import Weighing
from grm_plugin.prices import BudgetLimits, Prices, PromptPrices
from grm_plugin.remote.launching.launch import ServeOptions
from grm_plugin.remote.options import ConnectionOptions
from grm_plugin.scalar import ScalarOptions
from grm_plugin.schedule import ReliabilitySchedule, SaturationSchedule, Stage, StepSchedule
from grm_plugin.serving.settings import ServingSettings
from grm_plugin.settings import ThinkingMarks
from grm_plugin.size import Size
from grm_plugin.watching.options import ControlOptions, WatchOptions

MODULE = re.compile(r"\b[a-z_]+(?:\.[a-z_]+)*\.")
LIMITED = re.compile(r"Annotated\[(\w+), FieldInfo\(.*?\)\]\)\]")  # a limit on every element
ARGUMENT = re.compile(r"^ {8}(\w+): (.*(?:\n {12}.*)*)", re.MULTILINE)
PARTS: tuple[tuple[str, type[Options]], ...] = (
    ("Engines `reference` and `transformers`", LocalModelOptions),
    ("Engine `vllm`", VLLMOptions),
    ("Engine `server`", ServerOptions),
    ("`serve` of the engine `server`", ServeOptions),
    ("Engine `litellm`", LiteLLMOptions),
    ("Engine `replay`", ReplayOptions),
    ("Classifier `transformers`", ClassifierOptions),
    ("Classifier `server`", ConnectionOptions),
    ("Selector `meta_rm`", MetaRMOptions),
    ("Selector `weights`", WeightsOptions),
    ("`coefficients` of the selector `weights`", Weighing),
    ("`prices`", Prices),
    ("`prices` of a model that only reads", PromptPrices),
    ("`budget`", BudgetLimits),
    ("`thinking`", ThinkingMarks),
    ("`scalar`", ScalarOptions),
    ("`watch`", WatchOptions),
    ("`control` of `watch`", ControlOptions),
    ("Server `grm serve`", ServingSettings),
    ("`schedule` by step", StepSchedule),
    ("A stage of a `schedule` by step", Stage),
    ("`schedule` by saturation", SaturationSchedule),
    ("`schedule` by reliability", ReliabilitySchedule),
    ("A size of a schedule", Size),
)


def config_page() -> str:
    """Every setting with type, default and meaning."""
    rows = [
        f"| `{name}` | {_type(field.annotation)} | {_default(name)} | {field.description or ''} |"
        for name, field in GRMConfig.model_fields.items()
    ]
    return (
        "# Configuration\n\n"
        "Settings come, strongest first, from keywords (`GRM(k=16)`, `grm score --set k=16`), from "
        "a YAML file, from the file that `GRM_CONFIG` names, and from what the engine prefers. An "
        "unknown key is an error that names its nearest neighbour.\n\n"
        "| key | type | default | meaning |\n|---|---|---|---|\n" + "\n".join(rows) + "\n\n"
        "A part is a name, or a name with options: `engine: {name: server, url: ...}`.\n\n"
        + "\n".join(part_options(*part) for part in PARTS)
    )


def part_options(
    title: str, kind: type[Options], level: str = "##", beyond: type[Options] = Options
) -> str:
    """A table of the options of ``kind``, but for those that it has from ``beyond``."""
    meanings = _meanings(kind)
    rows = [
        f"| `{name}` | {_type(field.annotation)} | {_shown(field)} "
        f"| {field.description or meanings[name]} |"
        for name, field in kind.model_fields.items()
        if name not in beyond.model_fields
    ]
    table = "| option | type | default | meaning |\n|---|---|---|---|\n" + "\n".join(rows)
    return f"{level} {title}\n\n{first(kind)}\n\n{table}\n"


def _meanings(kind: type) -> dict[str, str]:
    """What the ``Args`` of a class and of its parents say about each field."""
    found: dict[str, str] = {}
    for one in reversed(kind.__mro__):
        _, _, described = (one.__doc__ or "").partition("Args:\n")
        for name, text in ARGUMENT.findall(described):
            found[name] = " ".join(text.replace("``", "`").split())
    return found


def _type(annotation: object) -> str:
    plain = inspect.isclass(annotation) and not hasattr(annotation, "__args__")
    text = annotation.__name__ if plain else str(annotation)
    return _code(LIMITED.sub(r"\1", MODULE.sub("", text)))


def _code(text: str) -> str:
    """Code in a cell of a table."""
    return "`" + text.replace("|", "\\|") + "`"


def _default(name: str) -> str:
    if name == "engine":
        return "the 16B on a CUDA GPU, else `reference`"
    return _shown(GRMConfig.model_fields[name])


def _shown(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True)
    return _code(str(getattr(default, "name", default)))


def first(one: type) -> str:
    return " ".join((inspect.getdoc(one) or "").split("\n\n")[0].replace("``", "`").split())
