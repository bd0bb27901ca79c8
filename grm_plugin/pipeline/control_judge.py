"""The control judge of ``watch``: this judge, but for what its settings say."""

from __future__ import annotations

from typing import Any

from grm_plugin.config import GRMConfig
from grm_plugin.errors import ConfigError
from grm_plugin.pipeline.building import make_scorer
from grm_plugin.pipeline.scorer import Scorer
from grm_plugin.plugins import Plugins
from grm_plugin.watching.options import CONTROL

# what a run has once, and what it is in a control judge
_ONCE: dict[str, Any] = {
    "watch": None,
    "schedule": None,
    "record": None,
    "budget": None,
    "adapters": {},
}
# what goes with an engine, and holds for no other
_OF_ENGINE: dict[str, Any] = {"prices": None, "flops_per_token": None}


def make_control(config: GRMConfig, plugins: Plugins, judge: Scorer) -> Scorer | None:
    """The control judge, made and not started; None where there is none.

    Args:
        config: the settings as they were given.
        plugins: who offers the parts.
        judge: made from the same settings; parts that are set alike are shared, so that a model
            is there once, and so is the budget.

    Raises:
        ConfigError, PluginError, TemplateError: as :func:`make_scorer`; the budget of the run is
            one that has to be kept with the control judge, too.
    """
    control = control_config(config)
    if control is None:
        return None
    return make_scorer(control, plugins, judge.budget, beside=judge, section=f"{CONTROL}.")


def control_config(config: GRMConfig) -> GRMConfig | None:
    """The settings of the control judge: the judge's, other seeds, and all k samples.

    Prices and size go with an engine: with another one they are its own.

    Raises:
        ConfigError: what ``watch.control.judge`` says is wrong.
    """
    if not (config.watch and config.watch.control):
        return None
    own = config.watch.control.judge
    keys = {key.split(".")[0] for key in own}
    if once := sorted(keys & _ONCE.keys()):
        raise ConfigError(
            f"{CONTROL}: {once[0]}: expected settings of a judge, and a run has this "
            "once; leave it out"
        )
    beside = {"seed": config.seed + 1, "stop": "fixed", "scalar": None}
    try:
        found = config.but(**_ONCE, **{**beside, **own})
        if found.engine != config.engine:
            found = config.but(**_ONCE, **{**beside, **_OF_ENGINE, **own})
        return found
    except ConfigError as error:
        said = str(error).removeprefix("config: ")
        raise ConfigError(f"{CONTROL}: {said}") from None
