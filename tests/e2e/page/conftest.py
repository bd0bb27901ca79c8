"""A real headless browser, and pages opened from disk in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.page.browsers import HOW, found

DESKTOP, PHONE = (1280, 900), (375, 812)


@dataclass
class Opened:
    """A page in the browser, and what it did besides showing."""

    tab: Any
    errors: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def go(self, fragment: str) -> None:
        """Follow a link to ``#fragment``."""
        self.tab.evaluate("to => { location.hash = to }", fragment)
        self.tab.wait_for_timeout(50)

    def texts(self, selector: str) -> list[str]:
        """The texts of all elements that match."""
        return [text.strip() for text in self.tab.locator(selector).all_inner_texts()]

    def ids(self) -> list[str]:
        """Groups that are listed on this page of the list."""
        return self.texts("#list a.open")

    def shown(self) -> int:
        """How many verdicts pass the filters, as the page says."""
        return int(self.texts("#shown")[0].split()[0].replace(",", ""))

    def verdict(self) -> Any:
        """The open verdict, once it is drawn."""
        box = self.tab.locator("dialog[open]")
        box.locator("h3").first.wait_for()
        return box


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    program = found()
    if program is None:
        pytest.fail(f"there is no browser: {HOW}")
    with sync_playwright() as playwright:
        # in containers tests run as root, under which the sandbox does not start
        running = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield running
        running.close()


Open = Callable[..., Opened]


@pytest.fixture
def opened(browser: Any) -> Iterator[Open]:
    """Open a page from disk, or at an address; its errors and requests are kept."""
    contexts = []

    def open_(path: Path | str, size: tuple[int, int] = DESKTOP, **more: Any) -> Opened:
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, **more)
        contexts.append(context)
        page = Opened(context.new_page())
        page.tab.on("console", lambda message: page.errors.append(message.text))
        page.tab.on("pageerror", lambda error: page.errors.append(str(error)))
        page.tab.on("dialog", lambda dialog: page.errors.append(f"dialog {dialog.message}"))
        page.tab.on("request", lambda request: page.asked.append(request.url))
        page.tab.goto(path if isinstance(path, str) else path.as_uri())
        return page

    yield open_
    for context in contexts:
        context.close()
