"""A scalar RM that is scored between two steps of its training."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from grm_plugin import Group

torch = pytest.importorskip("torch")


def test_rows_that_use_the_whole_vocabulary_or_fill_the_memory_score_as_they_do_alone(
    tmp_path: Path,
) -> None:
    from transformers import AutoModelForSequenceClassification

    from grm_plugin.spct.scalar_examples import Examples
    from tests.spct.scalar_data import save_scalar_rm

    model = AutoModelForSequenceClassification.from_pretrained(save_scalar_rm(tmp_path / "rm"))
    rows = [[*range(model.config.vocab_size)], [5, 6], [7, 8]]

    def scores(rows: list[list[int]]) -> list[float]:
        encoder: Any = SimpleNamespace(encode=lambda group: rows)
        return Examples(encoder, model).scores(Group.of("q", ["a"] * len(rows)))

    alone = [scores([row])[0] for row in rows]
    assert scores(rows) == pytest.approx(alone, abs=1e-5)

    def full(_: Any, args: Any) -> None:
        if len(args[0]) > 1:
            raise torch.OutOfMemoryError

    model.register_forward_pre_hook(full)
    assert scores(rows[1:]) == pytest.approx(alone[1:], abs=1e-5)
