"""The docs are true: pages are fresh, code blocks run, links lead somewhere."""

from __future__ import annotations

import inspect
import re
import warnings
from pathlib import Path
from typing import get_args

import pytest

from docs.generate import HERE, MARK, PAGES
from docs.settings import PARTS
from grm_plugin.config import GRMConfig
from grm_plugin.options import Options

ROOT = HERE.parent
MARKDOWN = sorted([ROOT / "README.md", *HERE.rglob("*.md")])
BLOCK = re.compile(r"^```python\n(.*?)^```", re.M | re.S)
LINK = re.compile(r"\]\(([^)#]+?)(?:#[^)]*)?\)")
# Hook examples are run one by one in tests/plugins.
NEEDS = {"train-with-trl.md": "trl"}  # run by `make test-trl`
# and this page against stand-ins, in test_hosted_judge.py
ELSEWHERE = {"hooks.md", "use-a-hosted-judge.md"}
RUN = [
    pytest.param(path, marks=[getattr(pytest.mark, NEEDS[path.name])] if path.name in NEEDS else [])
    for path in MARKDOWN
    if BLOCK.search(path.read_text()) and path.name not in ELSEWHERE
]


@pytest.mark.parametrize("name", PAGES)
def test_generated_pages_are_fresh(name: str) -> None:
    assert (HERE / "reference" / name).read_text() == MARK + PAGES[name](), "run `make docs`"


def _sections(kind: type[Options]) -> set[type[Options]]:
    """The models that fields of ``kind`` hold, and those that they hold themselves."""
    found: set[type[Options]] = set()
    asked = [field.annotation for field in kind.model_fields.values()]
    while asked:
        one = asked.pop()
        asked += get_args(one)
        if inspect.isclass(one) and not get_args(one) and issubclass(one, Options):
            found |= {one, *_sections(one)}
    return found


def test_every_section_of_the_settings_has_a_table_of_its_own() -> None:
    told = {kind for _, kind in PARTS}
    held = set.union(_sections(GRMConfig), *(_sections(kind) for kind in told))
    assert held - told == set()


def test_the_glossary_has_the_words_of_scalar_rms_and_of_watching_and_each_word_once() -> None:
    words = re.findall(r"^\| (.+?) \|", (HERE / "glossary.md").read_text(), re.M)
    scalar = {"scalar RM", "scalar score", "scalar vote", "sureness", "cascade", "audit", "refresh"}
    assert scalar | {"control judge", "gap", "artefact", "alarm"} <= set(words)
    assert len(words) == len(set(words))


@pytest.mark.parametrize("page", RUN, ids=lambda path: str(path.relative_to(ROOT)))
def test_python_blocks_run_top_to_bottom(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recorded_verdicts: Path
) -> None:
    if page.name in NEEDS:
        pytest.importorskip(NEEDS[page.name])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "verdicts.jsonl").write_bytes(recorded_verdicts.read_bytes())
    names: dict[str, object] = {"__name__": "docs"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for code in BLOCK.findall(page.read_text()):
            exec(compile(code, str(page), "exec", dont_inherit=True), names)  # our own pages


@pytest.mark.parametrize("page", MARKDOWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files(page: Path) -> None:
    for link in LINK.findall(page.read_text()):
        if "://" not in link:
            assert (page.parent / link).exists(), f"{page}: {link}"
