"""Plug-ins are found, checked at the start, and never change a reward by being there."""

from __future__ import annotations

import importlib
import itertools
import pickle
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from types import SimpleNamespace

import pytest

import grm_plugin.cli.plugins
import grm_plugin.plugins
from grm_plugin import GRM, Group, hookimpl
from grm_plugin.engine import Limits
from grm_plugin.errors import ConfigError, PluginError
from grm_plugin.kinds import KINDS
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


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_clash_matters_when_the_name_is_asked_for_and_names_both(kind: str) -> None:
    hook = KINDS[kind].hook
    plugins = [Plugin("one", offering(hook, "twin")), Plugin("two", offering(hook, "twin"))]
    found = load(*plugins)
    assert [one.plugin for one in found.offers() if one.name == "twin"] == ["one", "two"]
    with pytest.raises(PluginError, match=f"two plug-ins offer the {kind} 'twin': one and two"):
        found.get(kind, "twin")


def test_a_built_in_can_not_be_replaced_silently() -> None:
    found = load(Plugin("mine", offering("grm_register_voters", "mean")))
    with pytest.raises(PluginError, match=r"voter 'mean': grm_plugin\.pipeline\.voting and mine"):
        found.get("voter", "mean")
    assert found.get("voter", "median")


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
        PluginError, match=r"'mine' .*: grm_register_voters failed: OSError\('no licence'"
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


BREAKS = {
    "import": "import no_such_module",
    "exit": "raise SystemExit('no licence')",
    "misspelt": "from grm_plugin import hookimpl\n@hookimpl\ndef grm_registr_voters(register): ...",
    "unmarked": "def grm_on_verdict(verdict): ...",
    "register": (
        "from grm_plugin import hookimpl\n@hookimpl\ndef grm_register_voters(register):\n"
        "    register('half', print)\n    raise OSError('no licence')"
    ),
    "exits": (
        "from grm_plugin import hookimpl\n@hookimpl\ndef grm_register_voters(register):\n"
        "    raise SystemExit(3)"
    ),
}


@pytest.fixture
def broken(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Plugins:
    """What is installed, beside an announced plug-in that is broken in the way of the parameter."""
    module = f"broken_by_{request.param}"
    (tmp_path / f"{module}.py").write_text(BREAKS[request.param])
    monkeypatch.syspath_prepend(tmp_path)
    announce(monkeypatch, EntryPoint("mine", module, "grm_plugin"))
    return installed.__wrapped__()


@pytest.mark.parametrize("broken", BREAKS, indirect=True)
def test_a_broken_plug_in_that_nobody_names_changes_nothing_and_is_warned_of_once(
    broken: Plugins, caplog: pytest.LogCaptureFixture
) -> None:
    with GRM(plugins=scripted_beside(broken), engine="scripted") as grm:
        assert grm.score(Group.of("q", ["a"])).scored
    (warning,) = [*caplog.get_records("setup"), *caplog.records]
    assert "broken plug-ins, which offer nothing: 'mine'" in warning.getMessage()


@pytest.mark.parametrize("broken", BREAKS, indirect=True)
def test_a_part_that_is_not_there_may_be_one_of_a_broken_plug_in(broken: Plugins) -> None:
    with pytest.raises(
        ConfigError, match=r"unknown voter 'half'; known: .*plug-in that is broken: 'mine' .*: "
    ):
        broken.get("voter", "half")
    (one,) = broken.broken
    assert one.problem


@pytest.mark.parametrize("broken", BREAKS, indirect=True)
def test_the_listing_says_what_is_broken_and_why(
    broken: Plugins, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(grm_plugin.cli.plugins, "installed", lambda: broken)
    grm_plugin.cli.plugins.plugins()
    assert "broken: " in capsys.readouterr().out


def scripted_beside(found: Plugins) -> Plugins:
    (engine,) = [one for one in scripted(["\\boxed{5}"]).plugins if one.name == "scripted"]
    return Plugins([*found.plugins, engine], found.broken)


# parts of one shape


def a_plain_voter(scores_K_N, scale):
    return tuple(scale.to_unit(min(column)) for column in zip(*scores_K_N, strict=True))


async def a_plain_source(group):
    return ["a fact"] * len(group.responses)


@pytest.mark.parametrize(
    ("kind", "old", "message"),
    [
        ("voter", a_plain_voter, r"factory\(options, limits\) -> voter\(scores_K_N, scale\)"),
        ("evidence source", a_plain_source, r"factory\(options, limits\) -> a source with start"),
        ("selector", object, r"factory\(options, limits\) -> a selector with start, select, close"),
        ("engine", lambda options, limits: 5, "got '5' without sample, count_tokens, start, close"),
        ("benchmark", lambda size: [], r"factory\(options, limits\) -> an iterable of groups"),
    ],
)
def test_a_part_of_the_old_shape_is_refused_by_a_message_that_says_the_new_one(
    kind: str, old: object, message: str
) -> None:
    found = load(Plugin("mine", offering(KINDS[kind].hook, "old", old)))
    with pytest.raises(PluginError, match=rf"{kind} 'old'.*{message}"):
        found.make(kind, "old", {}, Limits())


def test_an_adapter_of_the_old_shape_is_refused_when_its_section_is_read() -> None:
    mine = Plugin("mine", offering("grm_register_adapters", "old", "my.Reward"))
    with pytest.raises(PluginError, match=r"adapter 'old': expected .*Adapter\(part, options\)"):
        load(mine).check_adapters({"old": {}})


@pytest.mark.parametrize("vote", ["mean", "sum", "median", "majority", "borda"])
def test_a_voter_refuses_options_it_does_not_have(vote: str) -> None:
    with pytest.raises(ConfigError, match=f"voter '{vote}': unknown key 'shar'"):
        GRM(plugins=scripted([]), engine="scripted", vote={"name": vote, "shar": 1})


def test_a_wrong_option_of_an_engine_is_found_when_the_settings_are_read() -> None:
    for name in ("transformers", "vllm", "server", "replay", "reference"):
        with pytest.raises(ConfigError, match="unknown key 'modell'"):
            GRM(engine={"name": name, "modell": "x"})


# plug-ins given in process


class Given:
    """Can be pickled."""

    @hookimpl
    def grm_register_voters(self, register):
        register("worst", lambda options, limits: a_plain_voter)


def test_an_object_with_hooks_may_be_given_in_process() -> None:
    with GRM(plugins=[Given()], engine={"url": "http://x"}, vote="worst") as grm:
        assert grm.config.vote.name == "worst"
    with pytest.raises(ConfigError, match="unknown voter 'worst'"):
        GRM(engine={"url": "http://x"}, vote="worst")


def test_objects_and_modules_that_were_given_go_along_when_a_judge_is_pickled() -> None:
    module = importlib.import_module("tests.plugins.examples.test_grm_register_voters")
    for given, vote in [(Given(), "worst"), (module, "low")]:
        judge = GRM(plugins=[given], engine={"url": "http://x"}, vote=vote)
        assert pickle.loads(pickle.dumps(judge)).config == judge.config


def test_plug_ins_that_were_made_by_hand_go_along_when_a_judge_is_pickled() -> None:
    module = importlib.import_module("tests.plugins.examples.test_grm_register_voters")
    for hooks, vote in [(Given(), "worst"), (module, "low")]:
        one = Plugin("mine", hooks)
        for given in ([one], Plugins([*installed().plugins, one])):
            judge = GRM(plugins=given, engine={"url": "http://x"}, vote=vote)
            copy = pickle.loads(pickle.dumps(judge))
            assert copy.config == judge.config
            assert copy.plugins.source("voter", vote) == "built in"


def test_a_broken_plug_in_that_was_given_is_an_error() -> None:
    mine = SimpleNamespace(grm_on_verdict=lambda verdict: None)
    with pytest.raises(PluginError, match=r"given in process.*: grm_on_verdict lacks"):
        GRM(plugins=[mine], engine={"url": "http://x"})


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


def test_a_plug_in_that_is_given_goes_before_one_of_its_name_that_is_installed() -> None:
    class Mine:
        @hookimpl
        def grm_register_voters(self, register) -> None:
            register("mine", lambda options, limits: lambda scores, scale: scores[0])

    assert "trl" in {one.name for one in installed().plugins}
    found = grm_plugin.plugins.chosen([Plugin("trl", Mine())])
    assert [one.name for one in found.plugins].count("trl") == 1
    assert found.get("voter", "mine")
