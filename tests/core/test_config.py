"""Settings are typed and closed: a wrong one fails before anything starts and says what to do."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import grm_plugin.pipeline.default
from grm_plugin import GRMConfig
from grm_plugin.errors import ConfigError
from grm_plugin.options import Part
from grm_plugin.pipeline.default import default_judge, with_judge
from grm_plugin.schedule import StepSchedule
from grm_plugin.size import Size


def yaml_file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "grm.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def load(**settings: object) -> GRMConfig:
    return GRMConfig.load(**{"engine": "vllm", **settings})


def test_settings_come_from_a_yaml_file(tmp_path: Path) -> None:
    path = yaml_file(tmp_path, "engine: {name: server, url: http://x}\nk: 4\nselect: meta_rm\n")
    config = GRMConfig.load(path)
    assert (config.k, config.engine.name, config.select.name) == (4, "server", "meta_rm")
    assert config.engine.options == {"url": "http://x"}


def test_the_environment_names_a_file_when_no_path_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRM_CONFIG", str(yaml_file(tmp_path, "engine: vllm\nk: 3\n")))
    assert GRMConfig.load().k == 3
    other = tmp_path / "other.yaml"
    other.write_text("engine: vllm\nk: 5\n")
    assert GRMConfig.load(other).k == 5


def test_keywords_win_over_the_file(tmp_path: Path) -> None:
    path = yaml_file(tmp_path, "engine: vllm\nk: 3\nseed: 1\n")
    config = GRMConfig.load(path, k=7)
    assert (config.k, config.seed) == (7, 1)


def test_a_dotted_keyword_reaches_into_a_part(tmp_path: Path) -> None:
    path = yaml_file(tmp_path, "engine: {name: server, url: http://x}\nselect: meta_rm\n")
    config = GRMConfig.load(path, **{"engine.url": "http://y", "select.k_meta": 2})
    assert config.engine.options == {"url": "http://y"}
    assert (config.select.name, config.select.options) == ("meta_rm", {"k_meta": 2})


@pytest.mark.parametrize("order", [1, -1])
def test_a_part_and_its_option_may_be_given_in_any_order(order: int) -> None:
    settings = [("engine", "server"), ("engine.url", "http://y")][::order]
    assert GRMConfig.load(**dict(settings)).engine.options == {"url": "http://y"}


@pytest.mark.parametrize(
    "engine", ["server", {"name": "server"}, Part(name="server")], ids=["name", "mapping", "part"]
)
def test_a_part_may_be_written_in_three_ways(engine: object) -> None:
    config = GRMConfig.load(**{"engine": engine, "engine.url": "u"})
    assert (config.engine.name, config.engine.options) == ("server", {"url": "u"})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"temprature": 1},
            r"config: unknown key 'temprature'; known: .*did you mean 'temperature'",
        ),
        ({"k": "many"}, "config: k: .*whole number.*got 'many'"),
        ({"k": 0}, "k: .*at least 1, got 0"),
        ({"k": 5000}, "k: .*at most 1024"),
        ({"temperature": -1}, "temperature: .*got -1"),
        ({"temperature": float("nan")}, "temperature: .*got nan"),
        ({"stop_texts": "END"}, "stop_texts: .*list.*got 'END'"),
        ({"dead_batches": 3}, "config: dead_batches: .* set dead_groups, dead_after_s$"),
        ({"stop": ["END"]}, "config: stop names a stopper; .* are stop_texts now$"),
        ({"vote": ["mean"]}, r"vote: .*got \['mean'\]"),
        ({"evidence": [{"path": "x"}]}, r"evidence\.0\.name: required, and not given"),
        ({"thinking": {"mark": []}}, "unknown key 'thinking.mark'"),
        ({"thinking": {"marks": [["<a>"]]}}, r"thinking\.marks\.0\.1: required, and not given"),
        ({"shuffle": "random"}, "shuffle: .*balanced.*got 'random'"),
        ({"duplicates": "drop"}, "duplicates: .*got 'drop'"),
        ({"over_context": "truncate"}, "over_context: .*got 'truncate'"),
        ({"k": 4, "permutations": 5}, "permutations: expected at most k = 4, got 5"),
        ({"k": 4, "min_valid": 5}, "min_valid: expected at most k = 4, got 5"),
        ({"engine": {"model": "x"}}, "engine.name: required, and not given"),
        ({"engine": 7}, "engine: .*got 7"),
        ({"engine": None, "engine.url": "u"}, "engine.name: .*text, got None"),
        ({"group_timeout_s": 0}, "group_timeout_s: .*more than 0"),
    ],
)
def test_a_wrong_setting_is_an_error_that_says_what_was_expected(settings, message) -> None:
    with pytest.raises(ConfigError, match=message):
        load(**settings)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- k\n- 8\n", r"grm\.yaml: expected keys and values, got list"),
        ("k: [\n", r"grm\.yaml can not be read: .*line 2"),
        ("just text", "got str"),
        ("engine: vllm\n1: 2\n", r"grm\.yaml: .*1"),
    ],
)
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=f"(?s){message}"):
        GRMConfig.load(yaml_file(tmp_path, text))


def test_a_file_that_can_not_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.yaml can not be read: .*No such file"):
        GRMConfig.load(tmp_path / "absent.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"engine: \xe9\n")
    with pytest.raises(ConfigError, match=r"latin\.yaml can not be read: .*utf-8"):
        GRMConfig.load(tmp_path / "latin.yaml")


@pytest.mark.parametrize(("k", "enough"), [(1, 1), (2, 1), (3, 2), (8, 4), (9, 5)])
def test_half_of_k_samples_are_enough_when_nothing_is_said(k: int, enough: int) -> None:
    assert load().enough(Size(k=k)) == enough
    assert load(min_valid=1).enough(Size(k=k)) == 1


def test_filling_in_keeps_what_the_user_set() -> None:
    filled = load(k=4).filled({"k": 16, "temperature": 1.0, "select": "meta_rm"})
    assert (filled.k, filled.temperature, filled.select) == (4, 1.0, Part(name="meta_rm"))
    assert filled.filled({"temperature": 0.1}).temperature == 1.0


def test_wrong_defaults_of_an_engine_are_refused_in_its_name() -> None:
    with pytest.raises(ConfigError, match="defaults of engine 'vllm': unknown key 'kk'"):
        load().filled({"kk": 1})
    with pytest.raises(ConfigError, match="min_valid: expected at most k = 4, got 6"):
        load(k=4).filled({"min_valid": 6})


def test_a_changed_copy_is_checked_and_leaves_the_original_alone() -> None:
    config = load(k=4)
    changed = config.but(**{"engine.model": "m", "k": 2})
    assert (changed.k, changed.engine.options, config.k) == (2, {"model": "m"}, 4)
    with pytest.raises(ConfigError, match="unknown key 'kk'"):
        config.but(kk=1)


def grows(*sizes: dict[str, int]) -> dict[str, object]:
    return {"by": "step", "stages": [{"step": 10 * n, **size} for n, size in enumerate(sizes)]}


def test_a_schedule_is_part_of_the_settings_and_k_holds_without_it(tmp_path: Path) -> None:
    text = "engine: vllm\nk: 4\nschedule:\n  by: saturation\n  sizes: [{k: 2}, {k: 8}]\n"
    config = GRMConfig.load(yaml_file(tmp_path, text))
    assert config.schedule.size_for(0, [0.5] * 40) == Size(k=8)
    assert config.size == Size(k=4)
    assert config.but(**{"schedule.window": 5}).schedule.window == 5
    by_step = load(schedule=StepSchedule(stages=({"step": 0, "k": 2},)))
    assert by_step.but(k=2).schedule == by_step.filled({"k": 3}).schedule == by_step.schedule


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"permutations": 4, "schedule": grows({"k": 4}, {"k": 2})},
            r"schedule\.stages\.1: permutations: expected at most k = 2, got 4",
        ),
        (
            {"min_valid": 3, "schedule": {"by": "saturation", "sizes": [{"k": 2}]}},
            r"schedule\.sizes\.0: min_valid: expected at most k = 2, got 3",
        ),
        (
            {"schedule": grows({"k": 4, "k_meta": 2})},
            r"schedule\.stages\.0: k_meta: expected none with select: all, got 2; .*meta_rm",
        ),
        ({"schedule": {"by": "step", "stagess": []}}, "schedule: .*'stagess'.*mean 'stages'"),
        (
            {"schedule": {"sizes": [{"k": 2}]}},
            "schedule: .*by: expected step, saturation or reliability",
        ),
        ({"schedule": "step"}, "schedule.*got 'step'"),
    ],
)
def test_a_schedule_with_a_stage_that_does_not_fit_is_refused_by_its_name(
    settings: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        load(**settings)


def test_permutations_and_min_valid_follow_the_size_unless_they_are_set() -> None:
    sizes = [Size(k=k) for k in (4, 16)]
    assert [load().shuffles(size) for size in sizes] == [4, 16]
    assert [load().enough(size) for size in sizes] == [2, 8]
    fixed = load(permutations=2, min_valid=3)
    assert [(fixed.shuffles(size), fixed.enough(size)) for size in sizes] == [(2, 3), (2, 3)]


def test_a_config_can_not_be_changed_in_place() -> None:
    with pytest.raises(Exception, match="frozen"):
        load().k = 3


def test_without_a_gpu_the_default_judge_is_the_reference_and_one_line_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(grm_plugin.pipeline.default, "has_cuda_gpu", lambda: False)
    with pytest.warns(UserWarning, match="only its own word-list tasks; name a judge with") as seen:
        assert with_judge(GRMConfig.load()).engine.name == "reference"
    assert len(seen) == 1 and "\n" not in str(seen[0].message)


def test_with_a_gpu_the_default_judge_is_the_published_16b_once_per_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(grm_plugin.pipeline.default, "has_cuda_gpu", lambda: True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert default_judge().name == "server"
    serve = {"model": "BBQGOD/DeepSeek-GRM-16B", "shared": True}
    assert default_judge().options == {"serve": serve}
    assert with_judge(GRMConfig.load()).template == "deepseek-grm"
    assert with_judge(GRMConfig.load(template="mine.txt")).template == "mine.txt"


def test_settings_alone_import_no_torch_and_need_no_judge() -> None:
    code = "import sys; from grm_plugin import GRMConfig; c = GRMConfig(k=4); c.but(k=3)\n"
    code += "assert 'torch' not in sys.modules; print(c.engine.name)"
    command = [sys.executable, "-W", "error", "-c", code]
    assert subprocess.run(command, capture_output=True, text=True).stdout == "default\n"


def test_a_named_judge_gives_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load().but(k=3).filled({"k": 2})


@pytest.mark.parametrize("address", [{"url": "http://h:1"}, {"urls": ["h:1"]}, {"serve": {}}])
def test_an_engine_with_an_address_is_a_server(address: dict[str, object]) -> None:
    assert GRMConfig.load(engine=address).engine.name == "server"


def test_an_address_does_not_rename_an_engine() -> None:
    assert GRMConfig.load(engine={"name": "mine", "url": "x"}).engine.name == "mine"


def test_a_template_file_may_stand_beside_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = tmp_path / "judges"
    beside.mkdir()
    (beside / "judge.yaml").write_text("template: own.txt\n")
    monkeypatch.chdir(tmp_path)
    assert GRMConfig.load(beside / "judge.yaml").template == str(beside / "own.txt")
    (tmp_path / "own.txt").write_text("here")
    assert GRMConfig.load(beside / "judge.yaml").template == "own.txt"
    (beside / "judge.yaml").write_text("template: rm-r1\n")
    assert GRMConfig.load(beside / "judge.yaml").template == "rm-r1"
