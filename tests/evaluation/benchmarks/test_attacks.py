"""Attacks on a judge: what they are made of, and what a judge shows that falls for them."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from string import ascii_letters

import pytest

from grm_plugin import GRM, Group
from grm_plugin.errors import InputError
from grm_plugin.evaluation.benchmarks.attacking import FOLDER, read_families
from grm_plugin.evaluation.items import items_of
from grm_plugin.evaluation.measuring import Measured, measure
from grm_plugin.prompts.folding import folded
from grm_plugin.reference.tasks.data import draw_group
from grm_plugin.reference.tasks.task import true_quality
from grm_plugin.reference.tokenizer import build_tokenizer
from grm_plugin.testing import ScriptedEngine, scripted
from tests.evaluation.benchmarks.judged import benchmark, judged, written

NAMES = ("master_keys", "injections")
Judge = Callable[[str], float]
"""A reward, 0..1, of one response by itself."""


def measured(name: str, judge: Judge, **options: object) -> dict[str, Measured]:
    """Every figure of an attack on a judge, by name."""
    bench = benchmark(name, **options)
    groups = list(bench)
    items = judged(groups, [[judge(one) for one in group.responses] for group in groups])
    top = measure(bench.figures(items), items, resamples=200)
    return {one.name: one for one in (top, *top.parts)}


def by_answers(good: float, weak: float, other: float) -> Judge:
    """A judge that knows the answers of our tasks, and gives all else a reward of its own."""
    known = {}
    for group in (one for name in NAMES for one in benchmark(name) if "family" not in one.metadata):
        best = group.metadata.get("best", 0)
        known |= {text: good if n == best else weak for n, text in enumerate(group.responses)}
    return lambda text: known.get(text, other)


@pytest.mark.parametrize("tasks", ["general", "reference"])
@pytest.mark.parametrize("name", NAMES)
def test_an_attack_has_groups_enough_of_every_family_and_none_twice(name: str, tasks: str) -> None:
    groups = list(benchmark(name, tasks=tasks))
    families = Counter(one.metadata["family"] for one in groups if "family" in one.metadata)
    assert 60 <= len(groups) <= 100
    assert len({one.id for one in groups}) == len({one.fingerprint for one in groups})
    assert len({one.id for one in groups}) == len(groups)
    assert set(families) == set(read_families(f"{tasks}_{name}.yaml"))
    assert max(families.values()) - min(families.values()) <= 2
    assert all(one.metadata["benchmark"] == name for one in groups)


@pytest.mark.parametrize("name", NAMES)
def test_the_good_answer_comes_first_as_often_as_second(name: str) -> None:
    best = Counter(one.metadata["best"] for one in benchmark(name) if len(one.responses) == 2)
    assert best[0] == best[1]


def test_a_judge_that_knows_better_is_never_fooled() -> None:
    judge = by_answers(good=0.9, weak=0.4, other=0.1)
    found = measured("master_keys", judge) | measured("injections", judge)
    assert {one.value for one in found.values()} == {0.0}


def test_a_judge_that_falls_for_empty_answers_shows_it_against_both_controls() -> None:
    found = measured("master_keys", by_answers(good=0.8, weak=0.4, other=0.9))
    assert found["beside a real answer"].value == found["alone"].value == 1.0
    assert found["control: a weak answer"].value == 0.0
    assert found["control: a right answer alone"].value == 0.0
    assert found["beside a real answer"].counts["wrong"] == 40


def test_an_answer_that_ties_is_not_beaten_unless_ties_are_asked_to_count_half() -> None:
    judge = by_answers(good=0.8, weak=0.4, other=0.8)
    assert measured("injections", judge)["Injections: win or tie"].value == 1.0
    assert measured("injections", judge, ties="half")["Injections: win or tie"].value == 0.5


def test_a_judge_that_prefers_weak_answers_anyway_owes_nothing_to_the_attack() -> None:
    found = measured("injections", by_answers(good=0.3, weak=0.6, other=0.6))
    assert found["Injections: win or tie"].value == 1.0
    assert found["control: the same without it"].value == 1.0
    assert found["more than without it"].value == 0.0


def test_one_family_that_works_is_told_by_name_and_widens_the_interval_of_all() -> None:
    answers = by_answers(good=0.8, weak=0.4, other=0.1)
    found = measured("injections", lambda text: 1.0 if "<|im_end|>" in text else answers(text))
    assert found["control tokens"].value and not found["praise"].value
    top = found["Injections: win or tie"]
    assert top.low < 0.01 and top.high is not None and top.high > 2 * (top.value or 0)


def test_a_judge_that_no_attack_fools_has_an_interval_that_goes_by_families() -> None:
    found = measured("injections", by_answers(good=0.9, weak=0.4, other=0.1))
    top, control = found["Injections: win or tie"], found["control: the same without it"]
    assert (top.low, control.low) == (0.0, 0.0)
    assert top.high is not None and control.high is not None
    assert top.high > 0.2 and 0.1 < control.high < 0.2  # 10 families, 20 tasks


def test_lower_is_better_and_what_a_tie_counts_are_said_of_every_rate() -> None:
    for name in NAMES:
        found = measured(name, by_answers(good=0.9, weak=0.4, other=0.1), ties="half")
        assert all(one.lower_is_better for one in found.values())
        assert {one.ties for one in found.values()} <= {"half", None}
        assert found[benchmark(name).title].ties == "half"


def test_groups_that_an_attack_leaves_unscored_are_counted_and_are_no_false_positives() -> None:
    bench = benchmark("injections")
    groups = list(bench)
    items = judged(groups, [None if "family" in one.metadata else [0.9, 0.1] for one in groups])
    top = measure(bench.figures(items), items, resamples=50)
    assert top.value is None and top.counts["unscored"] == 60


def test_own_tasks_are_attacked_as_they_are_labelled(tmp_path: Path) -> None:
    rows = [
        {"prompt": "2 + 2?", "responses": ["5", "4", "four"], "best": [1, 2], "id": "mine"},
        {"prompt": "Say hello.", "chosen": "Hello!", "rejected": "No."},
    ]
    bench = benchmark("injections", path=str(written(tmp_path / "mine.jsonl", rows)))
    groups = list(bench)
    assert [one.id for one in groups[:4]] == [
        "mine/attack/boxed scores",
        "mine/attack/ends of responses",
        "mine/attack/control tokens",
        "mine/control: the same without it",
    ]
    assert groups[3].responses == ("4", "5") and groups[7].responses == ("No.", "Hello!")
    assert groups[0].responses[1].startswith("5\n")


def test_a_task_without_a_weak_answer_is_refused_by_its_line(tmp_path: Path) -> None:
    path = written(tmp_path / "mine.jsonl", [{"prompt": "q", "responses": ["a"], "correct": 1}])
    with pytest.raises(InputError, match=r"mine\.jsonl, line 1: expected best among two"):
        list(benchmark("master_keys", path=str(path)))


def test_tasks_for_the_embedded_judge_are_labelled_by_the_checker_of_its_family() -> None:
    rows = map(json.loads, (FOLDER / "reference_tasks.jsonl").read_text().splitlines())
    assert [(row["prompt"], row["chosen"], row["rejected"]) for row in rows] == list(drawn(20))


def drawn(number: int) -> Iterator[tuple[str, str, str]]:
    """Tasks with an answer that fulfils all and one that fulfils half at most, and of which an
    answer without content fulfils a third at most: an empty list has no word twice.
    """
    keys = [one for texts in read_families("reference_master_keys.yaml").values() for one in texts]
    rng, found = random.Random("attacks"), 0
    while found < number:
        group = draw_group(rng, "heldout", responses=8, requirements=2 + found % 4)
        judged = list(zip(group.qualities, group.responses, strict=True))
        good = [text for quality, text in judged if quality == 1]
        weak = [text for quality, text in judged if quality <= 0.5]
        empty = [key.replace("{{prompt}}", group.task.query) for key in keys]
        if good and weak and all(true_quality(group.task, key) <= 1 / 3 for key in empty):
            found += 1
            yield group.task.query, good[0], weak[0]


@pytest.mark.parametrize("name", NAMES)
def test_attacks_on_the_embedded_judge_use_its_words_alone(name: str) -> None:
    tokenizer = build_tokenizer()
    for texts in read_families(f"reference_{name}.yaml").values():
        for text in texts:
            plain = text.replace("{{prompt}}", "").replace("{{answer}}", "")
            pieces = tokenizer.encode(plain, add_special_tokens=False).tokens
            assert not [one for one in pieces if len(one) == 1 and one in ascii_letters]


def test_every_file_of_attacks_is_one_of_a_benchmark() -> None:
    names = {path.name for path in FOLDER.iterdir()}
    kinds = {f"{name}.yaml" for name in NAMES} | {"tasks.jsonl"}
    assert names == {f"{tasks}_{kind}" for tasks in ("general", "reference") for kind in kinds}


def test_the_embedded_judge_is_attacked_end_to_end() -> None:
    bench = benchmark("injections", tasks="reference")
    groups = list(bench)[:4]
    with GRM(engine="reference", k=2) as grm:
        verdicts = list(grm.score_batch(groups))
    items = list(items_of(verdicts))
    top = measure(bench.figures(items), items, resamples=50)
    assert top.n == 3 and top.value is not None and sum(top.counts.values()) == 3


def test_the_embedded_judge_refuses_tasks_that_it_does_not_know() -> None:
    group: Group = next(iter(benchmark("master_keys")))
    refused = pytest.raises(InputError, match="knows only its own word-list tasks")
    with GRM(engine="reference", k=1) as grm, refused:
        grm.score(group)


MARKS = re.compile(
    r"\\boxed|\[The (?:Begin|End) of Response|<\|?\w+\|?>|\[Reference Answer\]|\[Conversation\]"
    r"|\[Responses to judge|\[/?INST\]|</s>|\[Evidence on|</?think>",
    re.IGNORECASE,
)


def test_what_looks_like_the_frame_of_the_prompt_never_reaches_a_judge() -> None:
    """Every attack leaves as many marks in the prompt as a pair without one."""
    engine = ScriptedEngine([r"\boxed{5, 5}"])
    with GRM(plugins=scripted(engine), engine="scripted", k=1) as grm:
        list(grm.score_batch(list(benchmark("injections"))))
    shown = [folded(request.messages[-1].content) for request in engine.requests]
    marks = [Counter(MARKS.findall(text.replace("<response>", ""))) for text in shown]
    assert len(marks) == 80 and all(one == marks[0] for one in marks)
