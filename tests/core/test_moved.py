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


def test_what_left_the_engines_is_refused_by_a_message_that_says_where_it_went() -> None:
    with pytest.raises(ImportError, match=r"engines\.SampleRequest is grm_plugin\.engine\.Sample"):
        from grm_plugin.engines import SampleRequest  # noqa: F401


def test_other_names_that_are_not_there_fail_as_ever() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'grm_plugin\.vote'"):
        importlib.import_module("grm_plugin.vote")
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = importlib.import_module("grm_plugin.engines").nothing
