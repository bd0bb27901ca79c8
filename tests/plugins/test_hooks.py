"""Every hook is documented and has an example that a test runs."""

from __future__ import annotations

import importlib.util
import inspect
from pathlib import Path

import pytest

from grm_plugin import hookspecs
from grm_plugin.plugins import HOOKS

EXAMPLES = Path(__file__).parent / "examples"
SPECS = [name for name in vars(hookspecs) if name.startswith("grm_")]


def test_the_specs_are_exactly_the_hooks_that_are_called() -> None:
    assert sorted(SPECS) == sorted(HOOKS)


@pytest.mark.parametrize("hook", SPECS)
def test_every_hook_says_what_the_implementer_gives_or_sees(hook: str) -> None:
    doc = inspect.getdoc(getattr(hookspecs, hook)) or ""
    assert doc.startswith("Offer " if hook.startswith("grm_register_") else "Observe ")
    assert len(doc) > 40


@pytest.mark.parametrize("hook", SPECS)
def test_every_hook_is_one_of_two_kinds(hook: str) -> None:
    arguments = list(inspect.signature(getattr(hookspecs, hook)).parameters)
    assert (arguments == ["register"]) == hook.startswith("grm_register_")
    assert hook.startswith(("grm_register_", "grm_on_"))


@pytest.mark.parametrize("hook", SPECS)
def test_every_hook_has_an_example_with_a_test(hook: str) -> None:
    path = EXAMPLES / f"test_{hook}.py"
    assert path.exists(), f"{hook} has no example; write {path.name} with the hook and a test of it"
    spec = importlib.util.spec_from_file_location(f"example_of_{hook}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert hasattr(getattr(module, hook), "grm_plugin_impl")
    assert any(name.startswith("test_") for name in vars(module))
