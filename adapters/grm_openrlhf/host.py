"""What the installed OpenRLHF can do: its options, and whether its agents see whole groups."""

from __future__ import annotations

import argparse
import importlib.util
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from grm_openrlhf.sources import Sources
from grm_plugin.errors import ConfigError
from grm_plugin.hosts.comparing import release

logger = logging.getLogger(__name__)

COMMAND = "openrlhf.cli.train_ppo_ray"
OLDEST_TESTED = (0, 9, 1)
NEWEST_TESTED = (0, 11, 2)
# Older releases whose trainers can use rewards of a server; those between end on any JSON.
OVER_HTTP = frozenset({(0, 8, 1), (0, 8, 2), (0, 8, 10), (0, 8, 11), (0, 9, 0)})

# What an option is to us, and how releases spell it: dotted since 0.10.2, flat before.
_SPELLINGS = {
    "agent": ("--train.agent_func_path", "--agent_func_path"),
    "remote_url": ("--reward.remote_url", "--remote_rm_url"),
    "reward_model": ("--reward.model_name_or_path", "--reward_pretrain"),
    "clip_range": ("--reward.clip_range", "--reward_clip_range"),
    "engines": ("--vllm.num_engines", "--vllm_num_engines"),
    "prompts": ("--rollout.batch_size", "--rollout_batch_size"),
    "samples": ("--rollout.n_samples_per_prompt", "--n_samples_per_prompt"),
    "temperature": ("--rollout.temperature", "--temperature"),
    "evaluation": ("--eval.dataset", "--eval_dataset"),
    "eval_temperature": ("--eval.temperature", "--eval_temperature"),
    "estimator": ("--algo.advantage.estimator", "--advantage_estimator"),
    "loss_type": ("--actor.policy_loss_type", "--policy_loss_type"),
    "loss_mean": ("--actor.loss_agg_mode",),
    "filtering": ("--algo.dynamic_filtering_enable", "--dynamic_filtering"),
    "input_key": ("--data.input_key", "--input_key"),
    "label_key": ("--data.label_key", "--label_key"),
    "resume": ("--ckpt.load_enable", "--load_checkpoint"),
    "checkpoints": ("--ckpt.path", "--ckpt_path"),
    "images": ("--data.max_images_per_prompt", "--max_images_per_prompt"),
}


@dataclass(frozen=True)
class Host:
    """An OpenRLHF.

    Args:
        root: folder of its package.
        version: as its distribution says.
    """

    root: Path
    version: str

    @classmethod
    def installed(cls) -> Host:
        """The one in this environment.

        Raises:
            ConfigError: there is none.
        """
        spec = importlib.util.find_spec("openrlhf")
        if spec is None or not spec.submodule_search_locations:
            raise ConfigError(
                "grm_openrlhf needs openrlhf, which is not installed; "
                "pip install 'grm-plugin[openrlhf]'"
            )
        try:
            found = version("openrlhf")
        except PackageNotFoundError:
            found = "unknown"
        return cls(Path(spec.submodule_search_locations[0]), found)

    def parser(self) -> argparse.ArgumentParser:
        """A new parser with exactly the options of its ``train_ppo_ray``.

        Raises:
            ConfigError: this release declares its options in a way that can not be read.
        """
        parser = self._sources.declared().get("parser")
        if not isinstance(parser, argparse.ArgumentParser):
            raise self._unreadable("no argparse parser is made")
        return parser

    def has(self, meaning: str) -> bool:
        """Whether this release has an option that only some releases have."""
        return any(spelling in self._options for spelling in _SPELLINGS[meaning])

    def option(self, meaning: str) -> str:
        """How this release spells an option.

        Raises:
            ConfigError: it has none of the known spellings.
        """
        for spelling in _SPELLINGS[meaning]:
            if spelling in self._options:
                return spelling
        raise ConfigError(
            f"openrlhf {self.version} has none of the options {' and '.join(_SPELLINGS[meaning])} "
            f"that grm_openrlhf knows; tested are {_tested()}"
        )

    def value(self, arguments: argparse.Namespace, meaning: str) -> Any:
        """What the command line says about an option."""
        return getattr(arguments, self._options[self.option(meaning)])

    @cached_property
    def _options(self) -> dict[str, str]:
        actions = self.parser()._actions
        return {spelling: one.dest for one in actions for spelling in one.option_strings}

    def check_agent(self) -> None:
        """Make sure that an agent executor sees whole groups.

        Raises:
            ConfigError: this release has no such executor; the message says what to do.
        """
        executor = self._sources.defines(
            "utils/agent.py", "execute", "sampling_params", "llm_engine"
        )
        groups = self._sources.defines(
            "trainer/ray/vllm_engine.py", "generate_responses", "num_samples"
        )
        if not (executor and groups):
            raise ConfigError(
                f"openrlhf {self.version} has no agent executor that sees whole groups; install "
                f"openrlhf {'.'.join(map(str, OLDEST_TESTED))} or newer{self._or_over_http()}"
            )
        if release(self.version, 3) > NEWEST_TESTED:
            logger.warning(
                "openrlhf %s is newer than what grm_openrlhf was tested with (%s); checked in its "
                "source: the options used here, execute(sampling_params, llm_engine) and "
                "generate_responses(num_samples)",
                *(self.version, _tested()),
            )

    def _or_over_http(self) -> str:
        if release(self.version, 3) not in OVER_HTTP:
            return ""
        return (
            ", or run `grm serve --serving extra_logs=false` and name its address in "
            f"{self.option('remote_url')}"
        )

    def check_accepts(self, argv: Sequence[str]) -> None:
        """Hear what its command says against these arguments, which is after Ray has started.

        Raises:
            ConfigError: it refuses them; in its own words.
        """
        if why := self._sources.refusal(argv):
            raise ConfigError(f"openrlhf {self.version} refuses these options: {why}")

    @property
    def keeps_labels(self) -> bool:
        """Whether a label that is a list of messages comes through its data loader unchanged."""
        return self._sources.defines("datasets/prompts_dataset.py", "collate_fn")

    @property
    def weighs_tokens_alike(self) -> bool:
        """Whether a token weighs the same in every micro-batch of an update (since 0.11.1)."""
        return self._sources.defines("utils/loss_utils.py", "iter_grad_accum_global_norm")

    def ray_environment(self) -> dict[str, str]:
        """The environment variables it would give its Ray actors if it started Ray itself."""
        found = self._sources.argument("ray.init", "runtime_env") or {}
        return dict(found.get("env_vars", {}))

    @cached_property
    def _sources(self) -> Sources:
        return Sources(self.root, "cli/train_ppo_ray.py", self._unreadable)

    def _unreadable(self, why: str) -> ConfigError:
        return ConfigError(
            f"the options of openrlhf {self.version} can not be read from {self.root} ({why}); "
            f"tested are {_tested()}"
        )


def _tested() -> str:
    return f"{'.'.join(map(str, OLDEST_TESTED))} to {'.'.join(map(str, NEWEST_TESTED))}"
