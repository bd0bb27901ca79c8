"""What is known about TRL: which releases fit, and what a reward call says of its trainer.

Nothing here imports TRL, so importing the adapter stays cheap.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from inspect import iscoroutinefunction
from typing import Any

from grm_plugin.errors import ConfigError
from grm_plugin.hosts.comparing import release

# 1.6 leaves a reward of None out instead of counting 0, 1.14 awaits a reward object with an async
# __call__ and asks all ranks for the names of their metrics; this one can be installed beside us
OLDEST = (1, 14, 2)
NEWEST_TESTED = (1, 16)

# keywords of a reward call that are not columns of the dataset
OWN = ("completion_ids", "trainer_state", "log_extra", "log_metric", "environments")


def check_version(what: str) -> None:
    """Say at once that the installed TRL is missing or too old for ``what``.

    Raises:
        ConfigError: names the version found and the versions that fit.
    """
    wanted = ".".join(map(str, OLDEST))
    try:
        found = version("trl")
    except PackageNotFoundError:
        raise ConfigError(
            f"{what} needs trl {wanted} or newer, which is not installed; "
            "pip install 'grm-plugin[trl]'"
        ) from None
    if release(found, len(OLDEST)) < OLDEST:
        raise ConfigError(
            f"{what} needs trl {wanted} or newer (tested up to "
            f"{'.'.join(map(str, NEWEST_TESTED))}), got {found}; pip install 'trl>={wanted}'"
        )


def trainer_of(call: Mapping[str, Any]) -> Any:
    """The trainer behind a reward call, or None: GRPO, RLOO and GMPO hand over a bound method."""
    return getattr(call.get("log_extra"), "__self__", None)


def reward_funcs(call: Mapping[str, Any]) -> list[Any]:
    """The list that the trainer takes its rewards from, round after round; empty if unknown."""
    found = getattr(trainer_of(call), "reward_funcs", None)
    return found if isinstance(found, list) else []


def name_of(reward: Any) -> str:
    """How TRL calls a reward in its metrics."""
    while isinstance(reward, partial):
        reward = reward.func
    return reward if isinstance(reward, str) else getattr(reward, "__name__", type(reward).__name__)


def is_async(reward: Any) -> bool:
    """Whether TRL awaits a reward, after it has called all that are not awaited."""
    while isinstance(reward, partial):
        reward = reward.func
    return iscoroutinefunction(reward) or iscoroutinefunction(type(reward).__call__)


def is_model(reward: Any) -> bool:
    """Whether a reward is a model, or the name of one, which TRL tokenizes for and calls itself."""
    torch = sys.modules.get("torch")  # where there is none, nothing can be a model
    return isinstance(reward, str) or bool(torch and isinstance(reward, torch.nn.Module))


def opening(trainer: Any) -> str:
    """What the chat template of the policy puts before a completion, such as an opening mark of
    thinking; empty when the trainer does not say, or takes thinking out of completions itself."""
    processing = getattr(trainer, "processing_class", None)
    render = getattr(processing, "apply_chat_template", None)
    if render is None or _parses(processing):
        return ""
    options = {"chat_template": getattr(trainer, "chat_template", None)}
    options |= getattr(trainer, "chat_template_kwargs", None) or {}
    try:
        chat = [{"role": "user", "content": "?"}]
        return str(render(chat, add_generation_prompt=True, tokenize=False, **options))
    except Exception:  # there is no template, or it wants more than a question
        return ""


def _parses(processing: Any) -> bool:
    """Whether TRL parses completions, so that thinking comes in a field of its own."""
    tokenizers = (processing, getattr(processing, "tokenizer", None))
    names = ("response_template", "response_schema")
    return any(getattr(one, name, None) is not None for one in tokenizers for name in names)


def is_training(trainer: Any) -> bool:
    """False while the trainer evaluates; True also when it does not say."""
    return bool(getattr(getattr(trainer, "model", None), "training", True))


def generations(trainer: Any) -> int | None:
    """Completions per prompt the trainer generates right now, or None when it does not say."""
    if trainer is None:
        return None
    name = "num_generations" if is_training(trainer) else "num_generations_eval"
    found = getattr(trainer, name, None)
    return found if isinstance(found, int) else None


def check_generations(asked: int | None, trainer: Any) -> None:
    """Refuse a group size that is not the trainer's; evaluations have one of their own.

    Raises:
        ConfigError: both sizes.
    """
    found = generations(trainer)
    if is_training(trainer) and None not in (asked, found) and asked != found:
        raise ConfigError(
            f"num_generations: expected {found}, as the trainer generates for each prompt, got "
            f"{asked}; leave num_generations out of the reward's settings"
        )


def check_name(name: str, trainer: Any) -> None:
    """Refuse two rewards of one name: their metrics and columns would run into each other.

    Raises:
        ConfigError: another reward of this trainer is called ``name``.
    """
    if list(getattr(trainer, "reward_func_names", ())).count(name) > 1:
        raise ConfigError(
            f"two rewards of this trainer are called {name!r} and TRL would mix up their metrics; "
            "give one of them another name: GRMReward(..., name='...')"
        )


def step_of(call: Mapping[str, Any]) -> int | None:
    """Training steps that are done, or None when the trainer does not say."""
    step = getattr(call.get("trainer_state"), "global_step", None)
    return step if isinstance(step, int) else None


def logs_metrics(call: Mapping[str, Any]) -> bool:
    """Whether what a reward logs comes to stand in the trainer's log."""
    strategy = getattr(getattr(trainer_of(call), "args", None), "logging_strategy", "steps")
    return "log_metric" in call and strategy != "no"
