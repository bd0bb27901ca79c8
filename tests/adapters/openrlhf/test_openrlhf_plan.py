from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from grm_openrlhf.agreement import check_agreed, findings
from grm_openrlhf.command import split
from grm_openrlhf.host import Host
from grm_openrlhf.options import options_of
from grm_openrlhf.plan import AGENT, Plan, make_plan
from grm_openrlhf.recording import of_engine
from grm_openrlhf.settings import ENV, RunSettings
from grm_plugin import GRM
from grm_plugin.errors import ConfigError
from grm_plugin.hosts.recorded import when
from grm_plugin.plugins import installed
from grm_plugin.prices import BudgetLimits
from grm_plugin.records import to_line
from grm_plugin.types import Cost, Group, Judgment, Verdict
from tests.adapters.openrlhf.conftest import with_adapter
from tests.adapters.openrlhf.sources import write_release

HOST = [
    "--vllm.num_engines",
    "2",
    "--rollout.batch_size",
    "9",
    "--rollout.n_samples_per_prompt",
    "4",
]


def plan(*words: str, host: Host | None = None, engine: str = "scripted") -> Plan:
    ours, rest = split(["--reward_model", "grm_plugin", "--grm.engine", engine, *words])
    own = HOST if host is None else []
    return make_plan(ours, [*own, *rest], host or Host.installed(), plugins=with_adapter([]))


def refused(*words: str, **more: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        plan(*words, **more)
    return str(caught.value)


def file(folder: Path, text: str) -> str:
    path = folder / "grm.yaml"
    path.write_text(text)
    return str(path)


def test_the_host_gets_its_own_words_and_our_agent() -> None:
    made = plan("--actor.adam.lr", "1e-5")
    assert made.argv[: len(HOST) + 2] == (*HOST, "--actor.adam.lr", "1e-5")
    assert made.argv[len(HOST) + 2 :][:2] == ("--train.agent_func_path", str(AGENT))
    assert AGENT.is_file()


def test_an_older_release_gets_the_older_spelling(tmp_path: Path) -> None:
    host = Host(write_release(tmp_path, dotted=False), "0.9.1")
    assert "--agent_func_path" in plan("--vllm_num_engines", "1", host=host).argv


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--rollout.n_samples_per_prompt", "1"], "is 1: a judge is much weaker"),
        (["--data.max_images_per_prompt", "2"], "does not see the images"),
    ],
)
def test_what_makes_a_judge_weak_is_a_warning(
    words: list[str], told: str, caplog: pytest.LogCaptureFixture
) -> None:
    plan()
    assert told not in caplog.text
    plan(*words)
    assert words[0] in caplog.text
    assert told in caplog.text


def test_actors_get_the_content_of_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["--grm_config", file(tmp_path, "k: 4\nrecord: seen.jsonl\n"), "--grm.k", "6"]
    monkeypatch.chdir(tmp_path)
    settings = plan(*words).settings
    assert settings.config["k"] == 6
    assert settings.config["record"] == str(tmp_path / "seen.jsonl")
    monkeypatch.setenv(ENV, settings.model_dump_json(exclude_unset=True))
    assert RunSettings.from_environment() == settings
    assert RunSettings.from_environment().judge_config().k == 6


def test_every_rollout_actor_may_spend_its_share_of_the_budget(tmp_path: Path) -> None:
    config = file(tmp_path, "budget: {tokens: 1000}")
    assert plan("--grm_config", config).settings.judge_config().budget == BudgetLimits(tokens=500)


def test_a_template_of_the_users_travels_as_text(tmp_path: Path) -> None:
    from grm_plugin.plugins import installed

    text = Path(installed().get("template", "grm")).read_text()
    (tmp_path / "mine.txt").write_text(text)
    assert plan("--grm.template", str(tmp_path / "mine.txt")).settings.template == text


def test_an_actors_share_of_a_step_is_told() -> None:
    assert plan().settings.groups_per_step == 5
    assert plan("--rollout.temperature", "0.9").settings.temperature == 0.9


def checkpoint(folder: Path, tag: str) -> Path:
    latest = folder / "_actor" / "latest"
    latest.parent.mkdir()
    latest.write_text(tag)
    return folder


@pytest.mark.parametrize("tag", ["global_step20", "best_global_step20", "global_step20\n"])
def test_a_resumed_run_goes_on_at_the_step_of_its_checkpoint(tmp_path: Path, tag: str) -> None:
    words = ["--ckpt.path", str(checkpoint(tmp_path, tag))]
    assert plan(*words, "--ckpt.load_enable").settings.first_step == 20
    assert plan(*words).settings.first_step == 0


def test_a_run_that_finds_no_checkpoint_is_a_new_one(tmp_path: Path) -> None:
    words = ["--ckpt.path", str(tmp_path), "--ckpt.load_enable"]
    assert plan(*words).settings.first_step == 0


def test_an_older_release_is_resumed_in_its_own_words(tmp_path: Path) -> None:
    host = Host(write_release(tmp_path / "host", dotted=False), "0.9.1")
    words = ["--ckpt_path", str(checkpoint(tmp_path, "global_step7")), "--load_checkpoint"]
    assert plan("--vllm_num_engines", "1", *words, host=host).settings.first_step == 7


@pytest.mark.parametrize("tag", ["", "my-checkpoint", "global_step-3", "global_step" + "9" * 99])
def test_a_checkpoint_that_tells_no_step_is_a_warning(
    tmp_path: Path, tag: str, caplog: pytest.LogCaptureFixture
) -> None:
    words = ["--ckpt.path", str(checkpoint(tmp_path, tag)), "--ckpt.load_enable"]
    assert plan(*words).settings.first_step == 0
    assert "expected the name of a checkpoint such as global_step20, got" in caplog.text


def test_a_resumed_run_whose_schedule_starts_again_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = file(tmp_path, "schedule: {by: saturation, sizes: [{k: 2}, {k: 4}]}")
    words = ["--ckpt.path", str(checkpoint(tmp_path, "global_step20")), "--grm_config", config]
    plan(*words)
    assert "saturation" not in caplog.text
    plan(*words, "--ckpt.load_enable")
    assert "saturation starts again with its first size" in caplog.text


RECORDED = """
schedule: {by: reliability, sizes: [{k: 2}, {k: 4}]}
budget: {tokens: 1000000}
record: RECORD
"""


def test_a_resumed_run_goes_on_with_what_all_actors_have_on_record(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    record = tmp_path / "verdicts.jsonl"
    for engine, metadata in enumerate([when(0, training=True), when(1, training=True)]):
        write_verdict(of_engine(record, engine), metadata)
    write_verdict(of_engine(record, 2), when(1, training=False))
    config = file(tmp_path, RECORDED.replace("RECORD", str(record)))
    words = ["--ckpt.path", str(checkpoint(tmp_path, "global_step3")), "--grm_config", config]
    settings = plan(*words, "--ckpt.load_enable").settings
    assert settings.seen == (1.0, 1.0, None)
    assert settings.spent.prompt_tokens == 3 * 2 * 100 / 2  # of each of two actors
    assert RunSettings.model_validate_json(settings.model_dump_json()) == settings
    assert "on record" not in caplog.text
    assert plan(*words).settings.spent.prompt_tokens == 0  # a new run in the same folder
    words[1] = str(tmp_path / "nothing")  # killed before its first checkpoint
    assert plan(*words, "--ckpt.load_enable").settings.spent.prompt_tokens == 300


def write_verdict(path: Path, metadata: Mapping[str, Any]) -> None:
    """Two judgments that agree, of 100 prompt tokens each."""
    group = Group.of("q", ["a", "b"], metadata=metadata)
    votes = [Judgment(k, (0, 1), k, "", (9, 1), prompt_tokens=100) for k in range(2)]
    verdict = Verdict(group, (1.0, 0.0), tuple(votes), cost=Cost.of(votes))
    path.write_bytes(to_line(verdict))


def test_a_resumed_run_without_a_record_is_told_what_begins_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = file(tmp_path, RECORDED.replace("RECORD", "null"))
    words = ["--ckpt.path", str(checkpoint(tmp_path, "global_step3")), "--grm_config", config]
    assert plan(*words, "--ckpt.load_enable").settings.seen == (None, None, None)
    assert "nothing of the steps before 3 is on record" in caplog.text
    assert "starts again with its first size and the budget counts from here on" in caplog.text


def test_an_evaluation_at_the_temperature_of_training_gets_one_that_can_be_told_from_it() -> None:
    evaluation = ["--eval.dataset", "held-out.jsonl"]
    same = ["--eval.temperature", "0.9", "--rollout.temperature", "0.9"]
    assert "--eval.temperature" not in plan(*evaluation).argv
    assert plan(*same).argv.count("--eval.temperature") == 1
    told, temperature = plan(*evaluation, *same).argv[-2:]
    assert told == "--eval.temperature"
    assert float(temperature) != 0.9
    # the sampler computes in 32 bits
    assert struct.pack("f", float(temperature)) == struct.pack("f", 0.9)


def test_the_launcher_tells_what_every_actor_must_find_and_that_it_counts() -> None:
    settings = plan("--grm.k", "6").settings
    assert settings.agreed["k"] == "6"
    assert settings.ledger
    assert not settings.filtering
    assert plan("--algo.dynamic_filtering_enable").settings.filtering


def test_actors_find_of_a_judge_that_is_started_what_the_launcher_found(tmp_path: Path) -> None:
    text = Path(installed().get("template", "grm")).read_text()
    (tmp_path / "mine.txt").write_text(text)
    (tmp_path / "of-this-node.txt").write_text(text)
    started = "{serve: {model: some/judge}}"
    settings = plan("--grm.template", str(tmp_path / "mine.txt"), engine=started).settings
    told = RunSettings.model_validate_json(settings.model_dump_json(exclude_unset=True))
    here = {"template": str(tmp_path / "of-this-node.txt")}
    judge = GRM(told.judge_config().but(**here, record=tmp_path / "here"))
    found = findings(judge, options_of(judge.config), None)
    check_agreed(told.agreed, found, "actor")


def test_the_share_of_unscored_groups_that_a_run_may_have_is_an_option(tmp_path: Path) -> None:
    config = file(tmp_path, "adapters: {openrlhf: {unscored_limit: 0.3}}")
    assert plan("--grm_config", config).unscored_limit == 0.3
    assert plan().unscored_limit is None
    assert plan().prompts_per_step == 9


BY_RESPONSE = ["--actor.loss_agg_mode", "seq-mean-token-mean"]
GSPO = ["--actor.policy_loss_type", "gspo"]


@pytest.mark.parametrize("estimator", ["gae", "reinforce", "reinforce_baseline", "flash_reinforce"])
@pytest.mark.parametrize("words", [BY_RESPONSE, GSPO])
def test_an_estimator_that_learns_from_unscored_responses_is_named_at_the_start(
    words: list[str], estimator: str, caplog: pytest.LogCaptureFixture
) -> None:
    plan("--algo.advantage.estimator", estimator)
    assert "without a reward" not in caplog.text
    plan("--algo.advantage.estimator", estimator, *words)
    assert f"--algo.advantage.estimator {estimator}: {' '.join(words)} lets" in caplog.text


@pytest.mark.parametrize("estimator", ["group_norm", "rloo", "dr_grpo"])
def test_an_estimator_that_compares_siblings_learns_nothing_from_unscored_groups(
    estimator: str, caplog: pytest.LogCaptureFixture
) -> None:
    plan("--algo.advantage.estimator", estimator, *BY_RESPONSE)
    assert "without a reward" not in caplog.text


@pytest.mark.parametrize(("estimator", "warned"), [("rloo", True), ("group_norm", False)])
def test_an_estimator_that_weighs_groups_of_a_cascade_against_each_other_is_told(
    estimator: str, warned: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    classifier = "{name: server, url: 'http://localhost:1'}"
    settings = file(tmp_path, f"scalar: {{use: cascade, classifier: {classifier}}}")
    plan("--grm_config", settings, "--algo.advantage.estimator", estimator)
    assert ("gives rewards on two scales" in caplog.text) == warned


def test_a_release_that_weighs_micro_batches_alike_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = write_release(tmp_path, dotted=False, without=("utils/loss_utils.py",))
    plan("--vllm_num_engines", "1", host=Host(root, "0.9.1"))
    assert "--advantage_estimator gae: openrlhf 0.9.1 averages over the tokens of each" in (
        caplog.text
    )


def test_without_a_label_key_the_raw_messages_come_as_label() -> None:
    made = plan("--data.input_key", "messages")
    assert made.argv[-2:] == ("--data.label_key", "messages")
    assert (made.settings.label, made.settings.own_label) == ("conversation", True)


def test_a_label_key_of_the_users_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    made = plan("--data.label_key", "answer")
    assert made.argv.count("--data.label_key") == 1
    assert (made.settings.label, made.settings.own_label) == ("ignore", False)
    assert not caplog.text


def test_a_label_can_be_the_reference_answer(tmp_path: Path) -> None:
    config = file(tmp_path, "adapters: {openrlhf: {label: reference}}")
    words = ["--grm_config", config]
    assert plan(*words, "--data.label_key", "answer").settings.label == "reference"
    assert "--data.label_key names; name one" in refused(*words)


def test_a_data_loader_that_would_spoil_messages_gets_no_label_key(tmp_path: Path) -> None:
    root = write_release(tmp_path, dotted=False, without=("datasets/prompts_dataset.py",))
    made = plan("--vllm_num_engines", "1", host=Host(root, "0.9.1"))
    assert "--label_key" not in made.argv
    assert made.settings.label == "ignore"


def test_the_users_own_agent_is_run_below_ours(tmp_path: Path) -> None:
    own = tmp_path / "own.py"
    own.touch()
    made = plan("--train.agent_func_path", str(own))
    assert made.settings.own_agent == own
    last = len(made.argv) - made.argv[::-1].index("--train.agent_func_path")
    assert made.argv[last] == str(AGENT)
    assert "expected a Python file, got 'no.py'" in refused("--train.agent_func_path", "no.py")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--reward.remote_url", "http://a"], "--reward.remote_url names a reward server"),
        (["--reward.remote", "http://a"], "--reward.remote_url names a reward server"),
        (["--reward.model", "some/rm"], "--reward.model_name_or_path names a scalar RM"),
        (["--vllm.num_engines", "0"], "--vllm.num_engines: expected 1 or more"),
        (["--grm.vote", "sum"], "cuts them to -10..10; use vote: mean"),
        (["--reward.clip_range", "0", "0.5"], "reach from 0 to 1, and --reward.clip_range cuts"),
        (["--grm.kk", "4"], "kk"),
        (["--grm.select", "best"], "unknown selector 'best'"),
        (["--grm.adapters.openrlhf", "{thinkin: keep}"], "did you mean 'thinking'?"),
        (["--grm.adapters.openrlhf", "{judge: {gpus: 2}}"], "none is to be started"),
    ],
)
def test_contradictions_are_refused_before_ray_starts(words: list[str], told: str) -> None:
    assert told in refused(*words)


def test_rewards_that_filtering_can_not_read_are_refused() -> None:
    words = ["--grm.vote", "sum", "--reward.clip_range", "0", "100"]
    assert plan(*words).settings.reward_range == (8, 80)
    told = refused(*words, "--algo.dynamic_filtering_enable")
    assert "--algo.dynamic_filtering_enable reads scores in 0..1" in told


def test_a_scale_counts_against_the_clip_range() -> None:
    assert plan("--grm.adapters.openrlhf", "{reward_scale: 10}")
    assert "reach from 0 to 11" in refused("--grm.adapters.openrlhf", "{reward_scale: 11}")


def test_a_step_by_which_all_rewards_would_tie_is_refused() -> None:
    told = refused("--grm.adapters.openrlhf", "{round_to: 5}")
    assert "adapter 'openrlhf': round_to: expected at most 0.5, half of the range" in told
    assert plan("--grm.adapters.openrlhf", "{round_to: 0.5}")


def test_a_judge_has_to_be_named(tmp_path: Path) -> None:
    ours, rest = split(["--reward_model", "grm_plugin"])
    with pytest.raises(ConfigError, match="no judge is named"):
        make_plan(ours, [*HOST, *rest], Host.installed(), plugins=with_adapter([]))


def test_a_second_vllm_in_the_rollout_actor_is_refused() -> None:
    assert "a second vLLM inside every rollout actor" in refused(engine="vllm")


def test_a_server_of_ours_is_started_by_the_launcher_and_not_by_the_actors(tmp_path: Path) -> None:
    config = """
        engine: {serve: {model: judge, args: [--max-model-len, '4096'], env: {TOKEN: hush}}}
        adapters: {openrlhf: {judge: {replicas: 2, gpus: 4}}}
    """
    ours, rest = split(["--reward_model", "grm_plugin", "--grm_config", file(tmp_path, config)])
    made = make_plan(ours, [*HOST, *rest], Host.installed(), plugins=with_adapter([]))
    assert made.servers is not None
    assert made.servers.serve.model == "judge"
    assert (made.servers.placement.replicas, made.servers.placement.gpus) == (2, 4)
    assert made.settings.config["engine"]["replicas"] == 2
    assert "hush" not in json.dumps(made.settings.model_dump(mode="json"))


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ("engine: {serve: {model: judge, gpus: [0]}}", "adapters.openrlhf.judge.gpus"),
        (
            "engine: {url: 'http://a'}\n"
            "select: {name: meta_rm, k_meta: 1, classifier: {name: server, serve: {model: m}}}",
            "name it with select.classifier.url",
        ),
    ],
)
def test_servers_that_ray_could_not_place_are_refused(
    tmp_path: Path, config: str, told: str
) -> None:
    ours, rest = split(["--reward_model", "grm_plugin", "--grm_config", file(tmp_path, config)])
    with pytest.raises(ConfigError) as caught:
        make_plan(ours, [*HOST, *rest], Host.installed(), plugins=with_adapter([]))
    assert told in str(caught.value)
