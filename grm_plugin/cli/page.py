"""``--html FILE`` of every command that has it: a page of verdicts to look at."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

from typer import BadParameter, Option

from grm_plugin.errors import ConfigError, quoted
from grm_plugin.report.terminal import out, printable
from grm_plugin.types import Verdict

_NEEDED = ("jinja2",)
_ENDINGS = (".html", ".htm")


def _page_name(path: Path | None) -> Path | None:
    if path is not None and path.suffix.lower() not in _ENDINGS:
        raise BadParameter(f"expected a name that ends in .html, got {quoted(str(path))}")
    return path


Html = Annotated[
    Path | None,
    Option(
        "--html",
        metavar="FILE",
        callback=_page_name,
        help="Write one HTML page to look at, which needs no network.",
    ),
]


def can_write_html() -> bool:
    """Whether what pages need is installed."""
    return all(find_spec(name) for name in _NEEDED)


def write_html(path: Path, verdicts: Iterable[Verdict], *, title: str, **told: Any) -> None:
    """Write ``verdicts`` as a page and say where it is.

    Args:
        path, verdicts, title, told: as of :func:`grm_plugin.report.page.write_page`.

    Raises:
        ConfigError: jinja2 is missing, or the page can not be written.
    """
    if missing := [name for name in _NEEDED if find_spec(name) is None]:
        raise ConfigError(f'a page needs {", ".join(missing)}; pip install "grm-plugin[eval]"')
    from grm_plugin.report.page import write_page

    write_page(path, verdicts, title=title, **told)
    out.print(printable(f"page: {path}"), soft_wrap=True)
