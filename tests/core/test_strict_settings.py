"""What YAML and Python would read as something else, or not at all, is refused by name."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from grm_plugin import GRMConfig, strict_yaml
from grm_plugin.cli.judge import read_pairs
from grm_plugin.errors import ConfigError, TemplateError
from grm_plugin.options import read_options
from grm_plugin.prompts.template import load_template
from grm_plugin.serving.settings import ServingSettings

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
MALFORMED = [
    ("k: 3\nk: 4\n", r"the key 'k' is there twice \(line 2, column 1\)"),
    ("engine: {name: vllm, model: a, 'model': b}", r"the key 'model' is there twice \(line 1"),
    ("engine: " + "[" * 100_000, r"nested deeper than 40 \(line 1, column 48\)"),
    (BOMB, r"more than 20000 values \(line 5"),
    ("seed: " + "9" * 5_000, r"a value that can not be read: .*4300 digits.* \(line 1, column 7\)"),
    ("on: 1\ntrue: 2\n", "the key True is there twice"),
    ("{a: " * 2_000, "nested deeper than 40"),
    ("- " * 2_000, "nested deeper than 40"),
    ("engine: &e [*e]", "an alias within what it stands for"),
    ("seed: 0x" + "f" * 50_000, "expected numbers of at most 64 bits"),
    ("record: 2020-01-01", r"'2020-01-01' is read as a date; quote it .*line 1, column 9"),
    ("model: 2020-13-45", "'2020-13-45' is read as a date"),
    ("k: 010", "'010' is read as an octal number"),
    ("k: 1:30", "'1:30' is read as a number to base 60"),
    ("temperature: 1:30.5", "'1:30.5' is read as a number to base 60"),
    ("k:\n\t8", r"'\\t' that cannot start any token \(line 2, column 1\)"),
    ("k: [\n", r"\(line 2, column 1\)"),
    ("k: !!python/object:os.system x", "could not determine a constructor"),
    ("k: 1\n--- \nk: 2\n", r"another document \(line 2"),
    ("k: *nowhere", "undefined alias 'nowhere'"),
    ('k: "\x00"', "unacceptable character"),
    ("#" * (300 << 10), "at most 256 KB"),
]


@pytest.mark.parametrize(("text", "said"), MALFORMED)
def test_a_file_that_nobody_means_is_refused_with_file_and_place(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "grm.yaml"
    path.write_text(text)
    began = time.monotonic()
    with pytest.raises(ConfigError, match=rf"grm\.yaml can not be read: .*{said}") as refused:
        GRMConfig.load(path)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 400
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(("text", "said"), MALFORMED[:5])
def test_the_front_matter_of_a_template_is_read_as_strictly(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "own.txt"
    path.write_text(f"---\n{text.strip()}\n---\n{{{{conversation}}}}{{{{responses}}}}")
    with pytest.raises(
        TemplateError, match=rf"own\.txt.*: front matter: .*{said.partition(' ')[0]}"
    ):
        load_template(path)


@pytest.mark.parametrize(
    "pair", ["k=[[" * 100, "engine={a: 1, a: 2}", "seed=" + "9" * 5000, "k={", "k=2020-13-45"]
)
def test_a_value_of_the_command_line_is_read_as_strictly(pair: str) -> None:
    with pytest.raises(ConfigError, match=r"--set \w+: expected a YAML value, got '.*' \("):
        read_pairs([pair], "--set")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "expected keys and values, and it is empty"),
        (b"# k: 3\n", "expected keys and values, and it is empty"),
        (b"null", "it is empty"),
        (b"1: 2\n", "expected a text as key, got 1"),
        (b"yes: 2\n", "expected a text as key, got True"),
        ("k: 3".encode("utf-16"), "can not be read: .*utf-8"),
    ],
)
def test_a_file_without_settings_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "grm.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=rf"config .*grm\.yaml.*{said}"):
        GRMConfig.load(path)


def test_a_file_that_never_ends_is_not_read_to_its_end() -> None:
    with pytest.raises(ConfigError, match="config /dev/zero can not be read"):
        GRMConfig.load("/dev/zero")


def test_a_byte_order_mark_anchors_and_merges_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "grm.yaml"
    path.write_text(
        "engine: &judge {name: server, url: http://h:1}\n"
        "select: {name: meta_rm, meta: {<<: *judge, url: http://h:2}}\n",
        encoding="utf-8-sig",
    )
    config = GRMConfig.load(path)
    assert config.select.options == {"meta": {"name": "server", "url": "http://h:2"}}


NUMBERS = [
    ({"k": True}, "config: k: expected a number, got true"),
    ({"min_valid": False}, "min_valid: expected a number, got false"),
    ({"temperature": True}, "temperature: expected a number, got true"),
    ({"seed": 10**400}, "seed: expected a number of at most 64 bits"),
    ({"seed": 10**5000}, "seed: expected a number of at most 64 bits"),
    ({"max_tokens": 2**70}, "max_tokens: expected a number of at most 64 bits"),
    ({"group_timeout_s": float("inf")}, "group_timeout_s: expected at most 1e.09 seconds, got inf"),
    ({"group_timeout_s": 1e300}, "group_timeout_s: expected at most 1e.09 seconds"),
    ({"group_timeout_s": "1e300"}, "group_timeout_s: expected at most 1e.09 seconds"),
    ({"seed": "9" * 60}, "seed: expected a number of at most 64 bits"),
    ({"group_timeout_s": "inf"}, "group_timeout_s: .*finite number, got 'inf'"),
    ({"dead_after_s": float("nan")}, "dead_after_s: .*finite number, got nan"),
    ({"request_timeout_s": -1}, "request_timeout_s: .*more than 0, got -1"),
    ({"schedule": {"by": "step", "stages": [{"step": 0, "k": True}]}}, "k: expected a number"),
    ({"schedule": {"by": "saturation", "sizes": [{"k": 2}], "rise": float("inf")}}, "finite"),
    ({"durability": "sync"}, "durability: .*'flush' or 'fsync', got 'sync'"),
    ({"template": 10**5000}, "template: .*text, got a value of type int"),
    ({"vote": ["x" * 9_000]}, "vote: .{,400}$"),
    ({"x" * 9_000: 1}, "unknown key 'x{200}'"),
    ({"adapters": {"a\nb": 1}}, r"adapters\.a\\nb: .*keys and values, got 1"),
]


@pytest.mark.parametrize(("settings", "said"), NUMBERS)
def test_a_setting_that_is_no_number_is_refused_by_name(settings: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        GRMConfig.load(engine="vllm", **settings)


@pytest.mark.parametrize(
    ("option", "value"),
    [("queue", True), ("body_timeout_s", float("inf")), ("drain_s", 1e12), ("max_k", 10**400)],
)
def test_options_of_parts_are_as_strict(option: str, value: object) -> None:
    with pytest.raises(ConfigError, match=f"server: {option}: expected"):
        read_options(ServingSettings, "server", {option: value})


def test_numbers_in_quotes_and_numbers_without_a_dot_are_still_read(tmp_path: Path) -> None:
    path = tmp_path / "grm.yaml"
    path.write_text("engine: vllm\nk: '8'\ntemperature: 1e-1\ngroup_timeout_s: 60\nnonce: yes\n")
    config = GRMConfig.load(path)
    assert (config.k, config.temperature, config.group_timeout_s, config.nonce) == (
        8, 0.1, 60, True,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["a\0.txt", "x" * 5000 + ".txt"])
def test_a_template_that_is_no_path_is_an_error_of_ours(tmp_path: Path, name: str) -> None:
    path = tmp_path / "grm.yaml"
    path.write_text(f'engine: vllm\ntemplate: "{name}"\n'.replace("\0", "\\0"))
    with pytest.raises(TemplateError, match="can not be read"):
        load_template(Path(GRMConfig.load(path).template or ""))


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


def test_of_many_wrong_settings_the_first_are_told_and_the_others_counted() -> None:
    with pytest.raises(ConfigError) as told:
        GRMConfig.load(engine="vllm", scalar={f"odd{number}": 1 for number in range(1000)})
    assert "unknown key 'scalar.odd0'" in str(told.value)
    assert str(told.value).endswith("; and 997 more") and len(str(told.value)) < 3000


@given(st.sampled_from(sorted(GRMConfig.model_fields)), values)
@example("scalar", dict.fromkeys("abcdefgh"))
def test_any_value_of_any_setting_is_taken_or_a_config_error(name: str, value: Any) -> None:
    try:
        GRMConfig.load(**{"engine": "vllm", name: value})
    except ConfigError as error:
        assert len(str(error)) < 3000


@given(st.text(alphabet=":-[]{}&*!|>'\"%@`#?,\n\t ab01.\u2028é", max_size=40))
def test_any_text_is_yaml_or_a_value_error_of_one_line(text: str) -> None:
    try:
        strict_yaml.parse(text)
    except ValueError as error:
        assert "\n" not in str(error)
