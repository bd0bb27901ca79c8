"""The pictures of pages in docs/: ``python -m tests.e2e.page.screenshots``, then look at them."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import sync_playwright

from grm_plugin import Verdict
from grm_plugin.report.page import write_page
from tests.e2e.page.browsers import found
from tests.e2e.page.reference_verdicts import reference_verdicts

IMAGES = Path(__file__).parents[3] / "docs" / "images"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page = Path(folder) / "page.html"
        write_page(page, map(at_step, range(48), reference_verdicts(48)), title="verdicts.jsonl")
        browser = playwright.chromium.launch(executable_path=found(), args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1180, "height": 1180})
        tab.goto(page.as_uri())
        tab.screenshot(path=IMAGES / "page_of_verdicts.png")
        tab.set_viewport_size({"width": 1180, "height": 760})
        tab.goto(f"{page.as_uri()}#sort=-spread&open=3")
        tab.locator("dialog .response").first.wait_for()
        tab.screenshot(path=IMAGES / "one_verdict.png")
        browser.close()


def at_step(number: int, verdict: Verdict) -> Verdict:
    """As a training run records it, three groups a step."""
    metadata = {**verdict.group.metadata, "step": number // 3, "phase": "train"}
    return replace(verdict, group=replace(verdict.group, metadata=metadata))


if __name__ == "__main__":
    main()
