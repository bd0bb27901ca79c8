"""Who imports an old name is told the new one."""

from __future__ import annotations

import importlib

import pytest

from grm_plugin.moved import MOVED


@pytest.mark.parametrize(("old", "new"), MOVED.items())
def test_an_old_module_is_refused_by_a_message_that_says_the_new_one(old: str, new: str) -> None:
    with pytest.raises(ImportError, match=f"^{old} is {new} now$"):
        importlib.import_module(old)
    importlib.import_module(new)


@pytest.mark.parametrize(
    ("old", "name", "new"),
    [
        ("grm_plugin.engines", "SampleRequest", "grm_plugin.engine"),
        ("grm_plugin.types", "Draw", "grm_plugin.engine"),
        ("grm_plugin.records", "Recorder", "grm_plugin.running.recorder"),
        ("grm_plugin.evaluation", "best_of_accuracy", "grm_plugin.evaluation.accuracy"),
        ("grm_plugin.evaluation", "bootstrap", "grm_plugin.evaluation.statistics"),
    ],
)
def test_a_name_that_left_its_module_is_refused_and_says_where_it_went(old, name, new) -> None:
    with pytest.raises(ImportError, match=f"^{old}.{name} is {new}.{name} now$"):
        getattr(importlib.import_module(old), name)
    assert hasattr(importlib.import_module(new), name)


def test_other_names_that_are_not_there_fail_as_ever() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'grm_plugin\.vote'"):
        importlib.import_module("grm_plugin.vote")
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = importlib.import_module("grm_plugin.engines").nothing
