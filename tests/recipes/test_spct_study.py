"""The chain and the study of the reference family, before anything is trained."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grm_plugin.errors import InputError
from grm_plugin.hosts.inputs.lines import read_json_lines
from grm_plugin.reference.making.stages import JUDGE_STAGES, META_STAGES
from recipes.spct.reference.chain import Chain, choosing, rating, shared, training
from recipes.spct.reference.study import stages
from recipes.spct.reference.without_criteria import main, without_criteria
from recipes.stages import Stage

OUT = Path("out/spct")
BESIDE = {"easy.jsonl": "sft.jsonl"}  # made together
CHAIN = [step for part in (shared, training, rating, choosing) for step in part(Chain(OUT))]


def read_in(stage: Stage) -> set[Path]:
    """What a stage names below OUT, but for its own output and the folders of seeds."""
    named = [*stage.uses, *(Path(text.rpartition("=")[2]) for text in stage.command)]
    named = [path.with_name(BESIDE.get(path.name, path.name)) for path in named]
    return {path for path in named if OUT in path.parents and "seed" not in path.name} - {
        stage.makes
    }


@pytest.mark.parametrize("made", [CHAIN, stages(Chain(OUT))], ids=["chain", "study"])
def test_whatever_a_stage_reads_an_earlier_one_makes(made: list[Stage]) -> None:
    for place, stage in enumerate(made):
        earlier = {one.makes for one in made[:place]}
        for path in read_in(stage):
            assert earlier & {path, *path.parents}, f"{stage.name} reads {path}"
            assert any(stage.reads(one) for one in made[:place])


def test_a_name_stands_for_one_command() -> None:
    made = stages(Chain(OUT))
    assert len({one.name for one in made}) == len(made)
    assert len({one.makes for one in made}) == len(made)


def test_the_study_goes_on_with_what_the_chain_has_made() -> None:
    assert set(CHAIN) <= set(stages(Chain(OUT)))


def test_the_cards_of_what_is_shipped_tell_every_stage_of_the_chain() -> None:
    for part, told in ((training, JUDGE_STAGES), (rating, META_STAGES)):
        assert tuple(step.name.removesuffix(" 1") for step in part(Chain(OUT))) == told


def test_every_seed_is_trained_from_the_same_base_and_groups() -> None:
    made = {one.name: one for one in stages(Chain(OUT))}
    first, *others = (made[f"sample {seed}"].command for seed in (1, 2, 3))
    for seed, command in enumerate(others, 2):
        told = [one for one in zip(first, command, strict=True) if one[0] != one[1]]
        made_of = (f"{OUT}/seed1/trajectories", f"{OUT}/seed{seed}/trajectories")
        assert told == [("1", str(seed)), made_of]


def test_nothing_that_is_chosen_reads_held_out_groups() -> None:
    made = stages(Chain(OUT))
    held_out = {OUT / name for name in ("wide.jsonl", "deep.jsonl", "wide", "deep")}
    for stage in made:
        if held_out & {part for path in read_in(stage) for part in (path, *path.parents)}:
            assert stage.command[:2] == ("grm", "scale") or stage.name == "figures", stage.name


def test_the_share_changes_groups_and_no_seed() -> None:
    whole, half = (stages(Chain(OUT, measured=share)) for share in (1.0, 0.5))
    assert [one.name for one in whole] == [one.name for one in half]
    changed = {one.name for one, other in zip(whole, half, strict=True) if one != other}
    assert changed == {"tune", "wide", "deep"}


def test_criteria_are_cut_and_the_critique_stays() -> None:
    judgment = (
        "Specific Criteria:\n1. include sunset (weight 4)\n2. no item twice (weight 6)\n"
        "Analysis:\nResponse 1 of 1: sunset1. sunset found, ok; repeats none, ok. Score 10.\n"
        "Scores: \\boxed{10}"
    )
    row = {"prompt": [], "completion": [{"role": "assistant", "content": judgment}], "id": "a"}
    cut = without_criteria(row)
    assert cut["completion"][0]["content"] == judgment[judgment.index("Analysis:") :]
    assert {**cut, "completion": None} == {**row, "completion": None}


def test_rows_whose_texts_end_lines_in_print_are_cut_whole(tmp_path: Path) -> None:
    told = "Analysis:\nsun\u2028set\x85\nScores: \\boxed{10}"
    row = {"completion": [{"role": "assistant", "content": f"Specific Criteria:\n1. a\n{told}"}]}
    (tmp_path / "sft.jsonl").write_text(json.dumps(row, ensure_ascii=False) + "\n", "utf-8")
    main(tmp_path / "sft.jsonl", tmp_path / "cut" / "sft.jsonl")
    ((_, cut),) = read_json_lines(tmp_path / "cut" / "sft.jsonl")
    assert cut["completion"][0]["content"] == told


def test_a_line_that_is_no_json_is_named_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"a": 1}\n\n{"a"\n')
    with pytest.raises(InputError, match=r"rows\.jsonl, line 3: expected a JSON object"):
        list(read_json_lines(tmp_path / "rows.jsonl"))
    with pytest.raises(InputError, match=r"none\.jsonl can not be read: No such file"):
        list(read_json_lines(tmp_path / "none.jsonl"))
