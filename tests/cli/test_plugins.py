"""``grm plugins``: what is there, by whom, and what is broken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from grm_plugin import plugins
from tests.cli.conftest import Ended

Grm = Callable[..., Ended]


def test_every_plug_in_is_listed_with_its_distribution_and_its_offers(grm: Grm) -> None:
    shown = grm("plugins")
    assert shown.code == 0
    assert "tiny_judge tiny-judge 1.0" in shown.out
    assert "engine tiny tiny_judge" in shown.out
    assert "voter mean grm_plugin.pipeline.voting" in shown.out


def test_a_broken_plug_in_is_one_readable_line(
    grm: Grm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "site" / "broken-2.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 2.0\n")
    (info / "entry_points.txt").write_text("[grm_plugin]\nbroken = no_such_module\n")
    monkeypatch.syspath_prepend(tmp_path / "site")
    plugins.installed.cache_clear()
    shown = grm("plugins")
    assert shown.code == 0
    (line,) = [one for one in shown.out.split("plug-in") if "broken 2.0: broken:" in one]
    assert "can not be imported" in line and "no_such_module" in line


def test_the_doctor_warns_of_a_broken_plug_in_and_names_it(
    grm: Grm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "site" / "broken-2.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 2.0\n")
    (info / "entry_points.txt").write_text("[grm_plugin]\nbroken = no_such_module\n")
    monkeypatch.syspath_prepend(tmp_path / "site")
    plugins.installed.cache_clear()
    shown = grm("doctor", "--engine", "tiny", "--set", "engine.log=log")
    assert "warn plug-ins broken: 'broken' (broken 2.0): can not be imported" in shown.out
    assert "all load" not in shown.out
