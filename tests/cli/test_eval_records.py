"""``grm eval`` of records: where it writes, what it reads, and what it says of how they voted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from grm_plugin import Group, Verdict
from grm_plugin.pipeline.building import find_template
from grm_plugin.plugins import installed
from grm_plugin.records import to_line
from grm_plugin.types import Judgment
from tests.cli.conftest import Ended

pytest.importorskip("numpy")
pytest.importorskip("scipy")

Grm = Callable[..., Ended]


def verdict(name: str, scores_K_2: Sequence[tuple[float, float]], **more: Any) -> Verdict:
    """Of a pair whose first response is the better one."""
    template = find_template("grm", installed())
    origin = {"vote": "mean", "template": "grm", "template_hash": template.digest, "k": 4}
    judgments = tuple(Judgment(k, (0, 1), 0, "text", each) for k, each in enumerate(scores_K_2))
    first, second = (sum(column) / len(column) for column in zip(*scores_K_2, strict=True))
    group = Group.of(f"question {name}", ["a", "b"], metadata={"best": 0, **more}, id=name)
    return Verdict(group, ((first - 1) / 9, (second - 1) / 9), judgments, origin=origin)


def record(path: Path, verdicts: Sequence[Verdict]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(map(to_line, verdicts)))
    return path


@pytest.mark.parametrize("name", ["../escaped", "{here}/escaped", "ok\x1b[31m/../..", "eval.json"])
def test_a_benchmark_on_record_names_no_place_outside_the_folder(
    grm: Grm, tmp_path: Path, name: str
) -> None:
    named = name.format(here=tmp_path)
    record(
        tmp_path / "evil.jsonl",
        [verdict(f"{i}", [(9, 1)], **({"benchmark": named} if i % 2 else {})) for i in range(4)],
    )
    ended = grm("eval", "evil.jsonl", "--out", "out")
    assert ended.code == 0, ended.err
    made = {one.name for one in tmp_path.iterdir()} - {"evil.jsonl"}
    assert made == {"out"} and (tmp_path / "out" / "eval.json").is_file()
    folders = [one.name for one in (tmp_path / "out").iterdir() if one.is_dir()]
    assert len(folders) == 2 and "labelled" in folders and all(map(str.isprintable, folders))


def test_a_link_among_the_results_leads_nowhere_else(grm: Grm, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").symlink_to(tmp_path / "elsewhere")
    two = [verdict("0", [(9, 1)], benchmark="mine"), verdict("1", [(9, 1)])]
    record(tmp_path / "r.jsonl", two)
    ended = grm("eval", "r.jsonl", "--out", "out")
    assert ended.code == 1 and "leads out of --out" in ended.err
    assert not list((tmp_path / "elsewhere").iterdir())
