"""What MkDocs is told beside ``mkdocs.yml``: files outside ``docs/`` are read in the repository."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
LINK = re.compile(r"(\]\()((?:\.\./)+[^)#\s]+)")


def on_page_markdown(markdown: str, /, *, page: Any, config: Any, **_: Any) -> str:
    """Lead what stands above ``docs/``, such as a recipe, to the repository.

    Args:
        markdown: a page.
        page: where it stands.
        config: of the site, with the address of the repository.
    """
    folder = Path(page.file.abs_src_path).parent

    def outside(link: re.Match[str]) -> str:
        target = (folder / link[2]).resolve()
        if target.is_relative_to(ROOT / "docs") or not target.is_relative_to(ROOT):
            return link[0]
        return f"{link[1]}{config.repo_url}/blob/main/{target.relative_to(ROOT)}"

    return LINK.sub(outside, markdown)
