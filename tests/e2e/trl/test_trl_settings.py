"""Wrong settings in the files of ``trl grpo``, and in the trainer: what people read then."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from grm_plugin.plugins import Plugins
from grm_trl import GRMReward
from tests.e2e.trl.test_trl_cli import run_grpo
from tests.e2e.trl.test_trl_trainers import rows, train

READY = "grm_trl.grm_reward"


@pytest.mark.parametrize(
    ("reward", "judge", "told"),
    [
        ("grm_trl.GRMReward", {}, "is a class and TRL called it as if it were a reward; in "
         "reward_funcs name the ready object grm_trl.grm_reward"),
        (READY, {"kay": 2}, "unknown key 'kay'"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_the_yaml_files_is_the_last_line_of_trl_grpo(
    reward: str,
    judge: dict[str, object],
    told: str,
    tiny_model: Path,
    tmp_path: Path,
    environment: Mapping[str, str],
) -> None:
    settings = {"engine": "shown", "k": 2, **judge}
    done = run_grpo(tmp_path, tiny_model, settings, environment, reward)
    assert done.returncode != 0
    (line,) = [line for line in done.stderr.splitlines() if "ConfigError: " in line]
    assert told in line


def test_a_single_generation_is_refused_by_grpo_itself(
    tiny_model: Path, tmp_path: Path, judge: Plugins
) -> None:
    reward = GRMReward(engine="shown", plugins=judge)
    with pytest.raises(ValueError, match="GRPO requires at least 2 generations per prompt"):
        train("trl", "GRPO", tiny_model, tmp_path, reward, rows(), num_generations=1)


def test_where_a_single_generation_is_allowed_the_reward_says_that_it_has_nothing_to_compare(
    tiny_model: Path, tmp_path: Path, judge: Plugins, caplog: pytest.LogCaptureFixture
) -> None:
    reward = GRMReward(engine="shown", k=1, plugins=judge)
    more = {"num_value_samples": 1, "max_completion_length": 5, "filter_all_incorrect": False}
    train("trl.experimental.a2po", "A2PO", tiny_model, tmp_path, reward, rows(), **more)
    assert caplog.text.count("every prompt of this call has a single response") == 1
