"""A plug-in in a distribution of its own: installed by pip, found by its entry point, used."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent / "grm_plugin_example"
USE = """
from grm_plugin import GRM, Group
from grm_plugin.plugins import installed
from grm_plugin.testing import scripted
import grm_plugin_example

(plugin,) = [one for one in installed().plugins if one.name == "example"]
assert plugin.source == "grm-plugin-example 1.2.3", plugin.source
script = ["\\\\boxed{1}", "\\\\boxed{4}", "\\\\boxed{6}", "\\\\boxed{10}"]
with GRM(plugins=scripted(script), engine="scripted", vote="trimmed_mean", k=4) as grm:
    assert grm.score(Group.of("q", ["a"])).rewards == (4 / 9,)
    grm.score_batch([Group.of("q", [])])
assert grm_plugin_example.seen == {"scored": 1, "unscored": 1}
print("used")
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling", reason="builds the example without a network")
    folder = tmp_path_factory.mktemp("third_party")
    source = shutil.copytree(SOURCE, folder / "source")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    command += ["--no-build-isolation", "--target", str(folder / "site"), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "site"


def python(site: Path, code: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(site)}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )


def test_an_installed_distribution_is_found_and_used(site: Path) -> None:
    done = python(site, USE)
    assert done.stdout == "used\n", done.stderr


def test_a_broken_distribution_is_named_with_its_version(site: Path) -> None:
    broken = shutil.copytree(site, site.parent / "broken", dirs_exist_ok=True)
    (broken / "grm_plugin_example" / "__init__.py").write_text("import no_such_module")
    use = "from grm_plugin import GRM; GRM(engine={'url': 'http://x'}, vote='trimmed_mean')"
    done = python(broken, use)
    assert (
        "broken: 'example' (grm-plugin-example 1.2.3): can not be imported: "
        "ModuleNotFoundError(\"No module named 'no_such_module'\")" in done.stderr
    )
