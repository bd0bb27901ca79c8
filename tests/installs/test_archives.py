"""Both archives are whole, and the wheel works where this tree is not."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from email.parser import Parser
from pathlib import Path

import pytest

from grm_plugin import __version__
from tests.installs.requirements import ROOT

pytest.importorskip("build.util", reason="builds the archives without a network")
PACKAGES = {"grm_plugin": ROOT, "grm_trl": ROOT / "adapters", "grm_openrlhf": ROOT / "adapters"}
TASK = "Write a list of words: include the word sunrise; use exactly 3 items."
GROUP = {"prompt": TASK, "responses": ["sunrise, teapot, airport", "teapot, airport"]}
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source archive, and the wheel that was built of it."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(archives: Path) -> Path:
    return archives / f"grm_plugin-{__version__}-py3-none-any.whl"


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs a program of a fresh environment that holds the wheel; our own tree is not in it."""
    folder = tmp_path_factory.mktemp("outside")
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    binaries = folder / "venv" / "bin"
    # What the wheel needs is found where the tests run; links to this tree are not followed there.
    (library,) = (folder / "venv" / "lib").glob("python*/site-packages")
    (library / "needed.pth").write_text("\n".join(filter(is_library, sys.path)))
    pip = [binaries / "python", "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([*pip, "--ignore-installed", wheel], check=True, env=environment)

    def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(binaries / program), *arguments]
        return subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )

    return run


def is_library(folder: str) -> bool:
    return Path(folder).name == "site-packages"


def files_of(package: str) -> Iterator[str]:
    """Every file of ``package`` in this tree, as the wheel should name it."""
    folder = PACKAGES[package]
    for path in (folder / package).rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            yield str(path.relative_to(folder))


@pytest.mark.parametrize("package", PACKAGES)
def test_the_wheel_holds_every_file_of_a_package(package: str, wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        assert set(files_of(package)) - set(archive.namelist()) == set()
        assert f"{package}/py.typed" in archive.namelist()


def test_the_source_archive_holds_whatever_is_kept_here(archives: Path) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("no git repository says what is kept")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, check=True)
    with tarfile.open(archives / f"grm_plugin-{__version__}.tar.gz") as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    kept = {name for name in listed.stdout.decode().splitlines() if (ROOT / name).exists()}
    assert kept - packed == set()


def test_links_of_the_page_on_a_package_index_are_whole(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read(f"grm_plugin-{__version__}.dist-info/METADATA").decode()
    page = Parser().parsestr(text).get_payload()
    links = re.findall(r"\]\(([^)]+)\)", page)
    assert links
    assert [link for link in links if not link.startswith(("https://", "#"))] == []
    pictures = re.findall(r"!\[[^]]*\]\(([^)]+)\)", page)
    assert all("/raw" in picture or "raw." in picture for picture in pictures)


def test_the_wheel_finds_its_plug_ins_and_is_not_this_tree(installed: Run) -> None:
    where = installed("python", "-c", "import grm_plugin, grm_trl; print(grm_plugin.__file__)")
    assert where.returncode == 0, where.stderr
    assert str(ROOT) not in where.stdout
    listed = installed("grm", "plugins")
    assert listed.returncode == 0, listed.stderr
    assert all(name in listed.stdout for name in ("trl", "openrlhf", "reference", "deepseek-grm"))


def test_the_wheel_scores_and_shows_with_the_embedded_judge(installed: Run, tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    groups, verdicts = tmp_path / "groups.jsonl", tmp_path / "verdicts.jsonl"
    groups.write_text(json.dumps(GROUP) + "\n")
    judged = installed("grm", "score", str(groups), "-o", str(verdicts), "--engine=reference")
    assert judged.returncode == 0, judged.stderr
    shown = installed("grm", "show", str(verdicts))
    assert "sunrise, teapot, airport" in shown.stdout
