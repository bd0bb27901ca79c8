"""The agent file as the host loads it, with the embedded judge in the same process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from openrlhf.utils.agent import AgentExecutorBase

from grm_openrlhf.own_agent import load_executor
from grm_openrlhf.plan import AGENT
from grm_openrlhf.settings import ENV, RunSettings
from grm_openrlhf.train_ppo_ray import without_jobs_own
from grm_plugin.errors import ConfigError
from tests.adapters.openrlhf.conftest import Actor

QUERY = "Write a list of words: include the word sunrise; use exactly 3 items."
TEXTS = ["sunrise, teapot, airport", "teapot, airport"]

OWN = """
from openrlhf.utils.agent import SingleTurnAgentExecutor

class AgentExecutor(SingleTurnAgentExecutor):
    async def execute(self, **call):
        assert call["label"] == ""
        return {**await super().execute(**call), "reward": -7, "extra_logs": {"mine": 3.0}}
"""


def tell(monkeypatch: pytest.MonkeyPatch, **run: Any) -> None:
    config = {"engine": "reference", "k": 2}
    settings = RunSettings(config=config, label="conversation", own_label=True, **run)
    monkeypatch.setenv(ENV, settings.model_dump_json(exclude_unset=True))


async def test_the_hosts_executor_gets_rewards_of_the_judge(
    monkeypatch: pytest.MonkeyPatch, tokenizer: Any
) -> None:
    tell(monkeypatch)
    executor = load_executor(AGENT)
    assert isinstance(executor, AgentExecutorBase)
    found = await Actor(executor, tokenizer).generate_responses(QUERY, TEXTS, label=QUERY)
    assert all(0 <= output["reward"] <= 1 for output in found)
    assert [output["extra_logs"]["grm/unscored_rate"] for output in found] == [0.0, 0.0]


async def test_a_users_own_agent_acts_and_the_judge_rewards(
    monkeypatch: pytest.MonkeyPatch, tokenizer: Any, tmp_path: Path
) -> None:
    own = tmp_path / "own.py"
    own.write_text(OWN)
    tell(monkeypatch, own_agent=own)
    actor = Actor(load_executor(AGENT), tokenizer)
    found = await actor.generate_responses(QUERY, TEXTS, label=QUERY)
    assert all(0 <= output["reward"] <= 1 for output in found)
    assert all(output["extra_logs"]["mine"] == 3.0 for output in found)


def test_an_agent_file_that_is_not_there_or_empty_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"own\.py: expected a Python file"):
        load_executor(tmp_path / "own.py")
    (tmp_path / "own.py").touch()
    with pytest.raises(ConfigError, match=r"own\.py: expected a class AgentExecutor"):
        load_executor(tmp_path / "own.py")


def test_without_the_launcher_the_agent_says_how_to_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENV, raising=False)
    with pytest.raises(ConfigError, match="start the run with python -m grm_openrlhf"):
        load_executor(AGENT)


def test_settings_of_another_version_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENV, '{"config": {}, "lable": "ignore"}')
    with pytest.raises(ConfigError, match="did you mean 'label'"):
        RunSettings.from_environment()


def test_variables_that_a_submitted_job_sets_are_left_to_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job = '{"runtime_env": {"env_vars": {"NCCL_DEBUG": "INFO"}}}'
    wanted = {"NCCL_DEBUG": "WARN", ENV: "{}"}
    assert without_jobs_own(wanted) == wanted
    monkeypatch.setenv("RAY_JOB_CONFIG_JSON_ENV_VAR", job)
    assert without_jobs_own(wanted) == {ENV: "{}"}
