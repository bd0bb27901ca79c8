"""RewardBench: sections by official weights, ties, prior sets apart, and bad rows."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from grm_plugin.errors import ConfigError, InputError
from grm_plugin.evaluation.benchmarks.rewardbench import PRIOR, SECTIONS
from grm_plugin.evaluation.measuring import measure
from tests.evaluation.benchmarks.formats import written_as
from tests.evaluation.benchmarks.judged import benchmark, item, judged, written
from tests.evaluation.benchmarks.published import of_subsets, sections_of
from tests.shared_data import shared_data

RIGHT, WRONG, TIE = (0.9, 0.1), (0.1, 0.9), (0.5, 0.5)
PAIRS = [
    {"id": n, "prompt": f"q{n}", "chosen": "good", "rejected": "bad", "subset": subset}
    for n, subset in enumerate(
        ["mt-bench-easy", "mt-bench-hard", "hep-cpp", "xstest-should-refuse"]
    )
]


def test_a_pair_knows_its_subset_and_section_and_which_response_is_best(tmp_path: Path) -> None:
    groups = list(benchmark("rewardbench", path=str(written(tmp_path / "rb.jsonl", PAIRS))))
    assert [one.responses for one in groups] == [("good", "bad")] * 4
    known = {name: value for name, value in groups[1].metadata.items() if name != "source"}
    assert known == {
        "benchmark": "rewardbench",
        "best": 0,
        "subset": "mt-bench-hard",
        "section": "Chat Hard",
    }
    assert groups[1].id == "mt-bench-hard:1"


def test_pairs_of_one_prompt_and_of_one_problem_in_six_languages_share_a_source(
    tmp_path: Path,
) -> None:
    asked = {
        "hep-python": "Write a Python function `has_close(numbers: List[float]) -> bool` to solve",
        "hep-go": "Write a Go function `func HasClose(numbers []float64) bool` to solve",
        "hep-js": "Write a JavaScript function `const hasClose = (numbers)` to solve",
        "hep-java": "Write a Java function `public boolean other(List<Double> n)` to solve",
    }
    both = {"chosen": "good", "rejected": "bad"}
    rows = [{"prompt": text, "subset": subset, **both} for subset, text in asked.items()]
    rows += [{"prompt": "q", "subset": f"mt-bench-{name}", **both} for name in ("easy", "hard")]
    path = written(tmp_path / "rb.jsonl", rows)
    sources = [one.metadata["source"] for one in benchmark("rewardbench", path=str(path))]
    assert len(set(sources[:3])) == 1 and sources[4] == sources[5]
    assert len(set(sources)) == 3


def test_the_mean_of_the_prior_sets_is_no_number_while_one_is_missing() -> None:
    some = [item(RIGHT, subset=name, section="prior") for name in PRIOR[:2]]
    rest = [item(WRONG, subset=name, section="prior") for name in PRIOR[2:]]
    for items, value, missing in ((some, None, PRIOR[2:]), (some + rest, 0.5, ())):
        parts = measure(benchmark("rewardbench").figures(items), items).parts
        prior = next(one for one in parts if one.name == "Prior sets")
        assert (prior.value, prior.missing) == (value, missing)


@pytest.mark.parametrize(
    "name", ["a.csv", "a.json", "a.jsonl.gz", "a.parquet", "a.zip", "a.tar.xz"]
)
def test_every_format_holds_the_same_groups(tmp_path: Path, name: str) -> None:
    plain = list(benchmark("rewardbench", path=str(written(tmp_path / "rb.jsonl", PAIRS))))
    found = benchmark("rewardbench", path=str(written_as(tmp_path / name, PAIRS)))
    assert [one.fingerprint for one in found] == [one.fingerprint for one in plain]


@pytest.mark.parametrize(
    "model", ["RM-R1-DeepSeek-Distilled-Qwen-32B", "RM-R1-Qwen2.5-Instruct-32B"]
)
def test_published_subset_scores_come_to_the_published_sections(model: str) -> None:
    folder = shared_data("rm-r1") / model
    subsets = json.loads((folder / "each_small_section_score.json").read_text())
    published = json.loads((folder / "main_score.json").read_text())
    found = of_subsets({name: it for name, it in subsets.items() if isinstance(it, float)})
    for section in SECTIONS:
        assert sections_of(found)[section] == pytest.approx(published[section], abs=1e-9)
    assert found.value == pytest.approx(published["avg_Result_each_section"], abs=1e-9)


def test_the_example_of_its_readme_comes_to_its_sections() -> None:
    golden = json.loads(shared_data("rewardbench/golden_readme_sections.json").read_text())
    found = of_subsets({k: v for k, v in golden["metrics"].items() if not isinstance(v, str)})
    assert sections_of(found) == pytest.approx(golden["sections"], abs=1e-9)
    assert found.value == pytest.approx(golden["mean"], abs=1e-9)


def test_a_section_without_a_subset_is_what_is_there_and_the_score_needs_all_sections() -> None:
    found = of_subsets({"llmbar-natural": 0.5, "mt-bench-hard": 1.0})
    chat_hard = found.parts[1]
    assert chat_hard.value == pytest.approx((100 * 0.5 + 37) / 137)
    assert "llmbar-adver-GPTInst" in chat_hard.missing
    assert (found.value, found.missing) == (None, ("Chat", "Safety", "Reasoning"))


@pytest.mark.parametrize(("options", "value"), [({}, 0.0), ({"ties": "half"}, 0.5)])
def test_ties_are_wrong_unless_asked_for(
    tmp_path: Path, options: dict[str, str], value: float
) -> None:
    path = written(tmp_path / "rb.jsonl", PAIRS)
    bench = benchmark("rewardbench", path=str(path), **options)
    items = judged(bench, [TIE] * 4)
    found = measure(bench.figures(items), items)
    assert (found.value, found.ties, found.counts["tie"]) == (value, bench.ties, 4)


def test_prior_sets_stand_apart_from_the_score(tmp_path: Path) -> None:
    rows = [*PAIRS, *({**PAIRS[0], "id": name, "subset": name} for name in PRIOR)]
    bench = benchmark("rewardbench", path=str(written(tmp_path / "rb.jsonl", rows)))
    items = judged(bench, [RIGHT] * 4 + [WRONG] * 3 + [RIGHT])
    found = measure(bench.figures(items), items)
    parts = {part.name: part for part in found.parts}
    assert found.value == 1.0
    assert (parts["Prior sets"].value, parts["All pairs"].n) == (0.25, 4)


@pytest.mark.parametrize(
    ("row", "telling"),
    [
        ({"subset": "hep-cp"}, "subset: unknown subset 'hep-cp'; .*did you mean 'hep-cpp'"),
        ({"chosen": None}, "chosen: expected a value, got nothing"),
        ({"prompt": 7}, "prompt: expected"),
        ({"id": 0}, "id: expected one for each row, got 'mt-bench-easy:0' again"),
    ],
)
def test_a_bad_row_is_named_with_file_line_and_column_or_counted(
    tmp_path: Path, row: dict[str, object], telling: str
) -> None:
    path = written(tmp_path / "rb.jsonl", [PAIRS[0], {**PAIRS[0], "id": 9, **row}, PAIRS[1]])
    with pytest.raises(InputError, match=rf"rb.jsonl, line 2: {telling}"):
        list(benchmark("rewardbench", path=str(path)))
    bench = benchmark("rewardbench", path=str(path), bad_rows="skip")
    assert len(list(bench)) == 2
    assert (bench.skipped, len(bench.problems)) == (1, 1)


def test_a_column_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    path = written(tmp_path / "rb.jsonl", [{"question": "q", "subset": "hep-go"}])
    with pytest.raises(InputError, match="prompt: expected a value, got 'question', 'subset'"):
        list(benchmark("rewardbench", path=str(path)))


def test_an_option_that_it_does_not_have_is_an_error() -> None:
    with pytest.raises(ConfigError, match="benchmark 'rewardbench': unknown key 'pth'"):
        benchmark("rewardbench", pth="x")


def test_rebuilt_subsets_hold_as_many_pairs_as_they_weigh() -> None:
    path = shared_data("rewardbench/rewardbench_partial_reconstruction.jsonl")
    found = Counter(one.metadata["subset"] for one in benchmark("rewardbench", path=str(path)))
    weights = {name: n for subsets in SECTIONS.values() for name, n in subsets.items()}
    assert found == {name: n for name, n in weights.items() if name.startswith(("llmbar", "hep"))}
    assert found.total() == 1403
