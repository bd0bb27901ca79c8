"""Plug-ins are found, checked at the start, and never change a reward by being there."""

from __future__ import annotations

import itertools
from importlib.metadata import EntryPoint, EntryPoints
from types import SimpleNamespace

import pytest

import grm_plugin.plugins
from grm_plugin import GRM, Group, hookimpl
from grm_plugin.errors import PluginError
from grm_plugin.plugins import BUILT_INS, Plugin, Plugins, installed
from grm_plugin.testing import scripted


def offering(hook: str, name: str, part: object = object) -> SimpleNamespace:
    def offer(register) -> None:
        register(name, part)

    return SimpleNamespace(**{hook: hookimpl(offer)})


def load(*plugins: Plugin) -> Plugins:
    return Plugins([*installed().plugins, *plugins])


def test_the_built_ins_come_through_the_same_door() -> None:
    offers = {(one.kind, one.name) for one in installed().offers()}
    assert offers >= {
        ("engine", "reference"), ("engine", "transformers"), ("engine", "vllm"),
        ("engine", "server"), ("engine", "replay"),
        ("template", "grm"), ("template", "grm-single"),
        ("voter", "mean"), ("voter", "sum"), ("voter", "median"), ("voter", "majority"),
        ("voter", "borda"), ("selector", "all"), ("selector", "meta_rm"),
    }  # fmt: skip
    assert {one.plugin for one in installed().offers()} <= {
        *BUILT_INS, *(plugin.name for plugin in installed().plugins)
    }  # fmt: skip


@pytest.mark.parametrize("kind", grm_plugin.plugins.KINDS)
def test_a_name_clash_names_both_plug_ins(kind: str) -> None:
    hook = grm_plugin.plugins.KINDS[kind]
    plugins = [Plugin("one", offering(hook, "twin")), Plugin("two", offering(hook, "twin"))]
    with pytest.raises(PluginError, match=f"two plug-ins offer the {kind} 'twin': one and two"):
        load(*plugins)


def test_a_built_in_can_not_be_replaced_silently() -> None:
    with pytest.raises(PluginError, match=r"voter 'mean': grm_plugin\.voting and mine"):
        load(Plugin("mine", offering("grm_register_voters", "mean")))


def test_one_name_may_be_used_for_different_kinds() -> None:
    plugin = Plugin("mine", offering("grm_register_selectors", "mean"))
    assert load(plugin).get("selector", "mean") is object


def test_a_misspelt_hook_is_an_error_that_lists_the_hooks() -> None:
    plugin = Plugin("mine", offering("grm_registr_voters", "x"), "mine 1.0")
    with pytest.raises(
        PluginError, match=r"'mine' \(mine 1\.0\): .*grm_registr_voters.*grm_on_verdict"
    ):
        load(plugin)


def test_a_misspelt_argument_of_a_hook_is_an_error() -> None:
    class Mine:
        @hookimpl
        def grm_on_verdict(self, verdikt): ...

    with pytest.raises(PluginError, match=r"plug-in 'mine'.*verdikt"):
        load(Plugin("mine", Mine()))


@pytest.mark.parametrize("name", ["grm_register_voters", "grm_on_verdict", "grm_on_verdicts"])
def test_a_hook_without_its_mark_is_an_error(name: str) -> None:
    module = SimpleNamespace(**{name: lambda register: None})
    with pytest.raises(PluginError, match=rf"'mine' .*: {name} lacks @grm_plugin\.hookimpl"):
        load(Plugin("mine", module))


def test_an_async_hook_is_an_error_because_nobody_would_await_it() -> None:
    class Mine:
        @hookimpl
        async def grm_on_verdict(self, verdict): ...

    with pytest.raises(PluginError, match="grm_on_verdict is async, so it would never be awaited"):
        load(Plugin("mine", Mine()))


def test_a_hook_that_raises_is_an_error_at_the_start_that_names_it() -> None:
    class Mine:
        @hookimpl
        def grm_register_voters(self, register):
            raise OSError("no licence")

    with pytest.raises(
        PluginError, match=r"'mine': grm_register_voters failed: OSError\('no licence'"
    ):
        load(Plugin("mine", Mine()))


def test_two_plug_ins_of_one_name_are_an_error() -> None:
    first, second = (Plugin("mine", offering("grm_register_voters", name)) for name in "ab")
    with pytest.raises(PluginError, match=r"plug-in 'mine'.*already registered"):
        load(first, second)


def announce(monkeypatch: pytest.MonkeyPatch, *points: EntryPoint) -> None:
    def entry_points(*, group: str) -> EntryPoints:
        return EntryPoints(point for point in points if point.group == group)

    monkeypatch.setattr(grm_plugin.plugins, "entry_points", entry_points)


def test_an_entry_point_that_can_not_be_imported_is_an_error_that_names_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    announce(monkeypatch, EntryPoint("broken", "no_such_module", "grm_plugin"))
    with pytest.raises(
        PluginError, match=r"'broken' .* can not be imported: .*no_such_module.*uninstall"
    ):
        installed.__wrapped__()


def test_entry_points_of_other_groups_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    announce(monkeypatch, EntryPoint("broken", "no_such_module", "pytest11"))
    assert len(installed.__wrapped__().plugins) == len(BUILT_INS)


def test_the_order_of_plug_ins_does_not_matter() -> None:
    mine = [Plugin(name, offering("grm_register_voters", f"vote-{name}", name)) for name in "abc"]
    listings = {
        tuple((one.kind, one.name, one.plugin) for one in load(*order).offers())
        for order in itertools.permutations(mine)
    }
    assert len(listings) == 1


def test_installing_a_plug_in_changes_no_reward() -> None:
    extra = Plugin("extra", offering("grm_register_voters", "median-of-means"))
    found = []
    for more in ([], [extra]):
        with GRM(plugins=scripted(["\\boxed{9, 3}"], *more), engine="scripted") as grm:
            found.append(grm.score(Group.of("q", ["a", "b"])).rewards)
    assert found[0] == found[1]


def test_a_failing_observer_does_not_stop_the_others() -> None:
    seen = []

    class Fails:
        @hookimpl
        def grm_on_verdict(self, group):
            raise RuntimeError

    class Sees:
        @hookimpl
        def grm_on_verdict(self, verdict):
            seen.append(verdict)

    names = [Plugin("a", Sees()), Plugin("fails", Fails()), Plugin("b", Sees())]
    with GRM(plugins=scripted(["\\boxed{1}"], *names), engine="scripted") as grm:
        grm.score(Group.of("q", ["a"]))
    assert len(seen) == 2
