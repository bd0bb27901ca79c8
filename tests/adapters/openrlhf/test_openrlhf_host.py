from __future__ import annotations

import logging
from pathlib import Path

import pytest

from grm_openrlhf.host import Host
from grm_plugin.errors import ConfigError
from tests.adapters.openrlhf.sources import write_release


def release(root: Path, version: str = "0.11.2", **more: object) -> Host:
    return Host(write_release(root, **more), version)  # type: ignore[arg-type]


def test_the_installed_trainers_options_are_all_there_without_an_import() -> None:
    host = Host.installed()
    host.check_agent()
    spellings = {one for action in host.parser()._actions for one in action.option_strings}
    assert {"--actor.adam.lr", "--train.async_enable", "--vllm.num_engines"} <= spellings
    assert host.option("remote_url") == "--reward.remote_url"
    assert host.keeps_labels
    assert host.ray_environment().keys() >= {"TOKENIZERS_PARALLELISM", "NCCL_DEBUG"}


@pytest.mark.parametrize(
    ("dotted", "agent"), [(True, "--train.agent_func_path"), (False, "--agent_func_path")]
)
def test_both_ways_to_spell_options_are_known(tmp_path: Path, dotted: bool, agent: str) -> None:
    host = release(tmp_path, dotted=dotted)
    assert host.option("agent") == agent
    given = host.parser().parse_args([agent, "mine.py"])
    assert host.value(given, "agent") == "mine.py"


def test_options_declared_in_a_loop_are_found(tmp_path: Path) -> None:
    assert release(tmp_path).parser().parse_args(["--critic.lr", "2"])


def test_what_the_host_would_tell_ray_is_read_from_its_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NCCL_DEBUG", "INFO")
    assert release(tmp_path).ray_environment() == {"NCCL_DEBUG": "INFO"}


def test_a_release_without_group_agents_is_refused_with_the_two_ways_out(tmp_path: Path) -> None:
    old = release(tmp_path, "0.8.11", dotted=False, without=("trainer/ray/vllm_engine.py",))
    with pytest.raises(ConfigError) as caught:
        old.check_agent()
    for words in ("openrlhf 0.8.11", "0.9.1 or newer", "grm serve", "--remote_rm_url"):
        assert words in str(caught.value)


def test_a_newer_release_that_can_do_it_is_used_with_a_warning_of_what_was_checked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    release(tmp_path, "0.12.0").check_agent()
    assert "openrlhf 0.12.0 is newer than" in caplog.text
    assert "generate_responses(num_samples)" in caplog.text


def test_a_tested_release_gives_no_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    release(tmp_path, "0.9.1").check_agent()
    assert not caplog.records


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("from openrlhf import options\noptions.run()", "no parse_args in its main part"),
        ("if 1:\n    args = make().parse_args()", "no argparse parser is made"),
        (
            "if 1:\n    parser = make()\n    args = parser.parse_args()",
            "name 'make' is not defined",
        ),
        ("if 1:", "expected an indented block"),
    ],
)
def test_a_release_that_can_not_be_read_is_refused_with_the_reason(
    tmp_path: Path, command: str, why: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        release(tmp_path, "9.0", command=command).parser()
    assert "openrlhf 9.0" in str(caught.value)
    assert why in str(caught.value)


def test_an_option_that_was_renamed_again_is_named(tmp_path: Path) -> None:
    main = "    parser = argparse.ArgumentParser()\n    a = parser.parse_args()"
    command = f"import argparse\nif 1:\n{main}"
    with pytest.raises(ConfigError, match=r"--reward\.remote_url and --remote_rm_url"):
        release(tmp_path, command=command).option("remote_url")
