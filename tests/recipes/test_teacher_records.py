"""``recipes/spct/reference/teacher_records.py``: what the meta RM reads first."""

from __future__ import annotations

from pathlib import Path

from grm_plugin.records import read_verdicts
from grm_plugin.reference.tasks.reading import find_slips
from grm_plugin.spct.examples import datum_of
from recipes.spct.reference.teacher_records import main


def written(path: Path, careless: float = 0.7) -> list[str]:
    """The texts of all judgments, of labelled groups that are not scored."""
    main(path, groups=24, samples=4, careless=careless, seed=3)
    verdicts = list(read_verdicts(path))
    assert len(verdicts) == 24
    assert {len(one.group.responses) for one in verdicts} == {2, 3, 4}
    for one in verdicts:
        assert one.rewards is None and len(one.judgments) == 4
        assert 0 <= datum_of(one.group).label < len(one.group.responses)
    return [judgment.text for one in verdicts for judgment in one.judgments]


def test_the_same_seed_writes_the_same_judgments(tmp_path: Path) -> None:
    assert written(tmp_path / "a.jsonl") == written(tmp_path / "b.jsonl")


def test_careless_judgments_slip_where_a_reader_can_see_it_and_others_never(tmp_path: Path) -> None:
    def slips(careless: float) -> int:
        found = map(find_slips, written(tmp_path / "made.jsonl", careless))
        return sum(one.flipped + one.miscounted + one.miscopied for one in found)

    assert slips(0.0) == 0 < slips(1.0)
