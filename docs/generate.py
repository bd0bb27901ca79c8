"""Write the generated pages of ``docs/reference/``: ``python -m docs.generate``.

A test compares the pages in the repository with what this module makes, so they can not go stale.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from docs.benchmarks import benchmarks_page
from docs.figures import figures_page
from docs.health import health_page
from docs.inputs import inputs_page
from docs.metrics import metrics_page
from docs.settings import config_page, first, part_options
from grm_openrlhf.options import OpenRLHFOptions, Placement
from grm_plugin import errors, hookspecs
from grm_plugin.options import Options
from grm_plugin.types import Reason
from grm_trl.options import Columns, TRLOptions

HERE = Path(__file__).parent
INSTALLS = HERE.parent / "benchmarks" / "results" / "installs.json"
EXAMPLES = HERE.parent / "tests" / "plugins" / "examples"
ADAPTERS: Mapping[str, tuple[tuple[str, type[Options]], ...]] = {
    "grm_trl": (("Options of `grm_trl`", TRLOptions), ("`columns`", Columns)),
    "grm_openrlhf": (("Options of `grm_openrlhf`", OpenRLHFOptions), ("`judge`", Placement)),
}
MARK = "<!-- made by `make docs`; do not edit -->\n\n"


def adapters_page() -> str:
    """The options and the errors of every adapter of ours."""
    parts = [
        f"## `{module}`\n\n"
        + "\n".join(part_options(title, kind, "###") for title, kind in options)
        + f"\n### Errors of `{module}`\n\n{_errors_of(import_module(f'{module}.errors'))}"
        for module, options in ADAPTERS.items()
    ]
    return (
        "# Adapters\n\nOptions stand in the section `adapters: {trl: ...}` or `adapters: "
        "{openrlhf: ...}` of a configuration; those of TRL may be keywords of `GRMReward`, too. "
        "Errors of the judge itself are in [Errors](errors.md).\n\n" + "\n".join(parts)
    )


def _errors_of(module: ModuleType) -> str:
    """The errors that a module defines."""
    classes = [
        value
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, errors.GRMError)
    ]
    listed = "\n".join(
        f"| `{one.__name__}` | `{one.__bases__[0].__name__}` | {first(one)} |"
        for one in classes
        if one.__module__ == module.__name__
    )
    return f"| error | is a | meaning |\n|---|---|---|\n{listed}\n"


def errors_page() -> str:
    """Every error class and every reason for which a sample is dropped."""
    listed = _errors_of(errors)
    reasons = "\n".join(f"- `{reason}`" for reason in Reason)
    return (
        "# Errors\n\nAll in `grm_plugin.errors`; all can be pickled. Those of the adapters are in "
        "[Adapters](adapters.md).\n\n"
        f"{listed}\n## Reasons of dropped samples\n\nValues of `grm_plugin.types.Reason`; see "
        f"[why unscored is not zero](../explanation/unscored-is-not-zero.md).\n\n{reasons}\n"
    )


def hooks_page() -> str:
    """Every hook with its example."""
    names = [name for name in vars(hookspecs) if name.startswith(("grm_register_", "grm_on_"))]
    parts = [_hook(name) for name in names]
    return (
        "# Hooks\n\nA plug-in is a module whose functions carry `@grm_plugin.hookimpl`, announced "
        "through the entry-point group `grm_plugin`. `grm_register_*` hooks offer parts under a "
        "name; the configuration picks parts by name. `grm_on_*` hooks observe. Each example below "
        "is a test of ours.\n\n" + "\n".join(parts)
    )


def _hook(name: str) -> str:
    spec = getattr(hookspecs, name)
    example = (EXAMPLES / f"test_{name}.py").read_text(encoding="utf-8").strip()
    title = f"## `{name}({', '.join(inspect.signature(spec).parameters)})`"
    return f"{title}\n\n{inspect.getdoc(spec)}\n\n```python\n{example}\n```\n"


def versions_page() -> str:
    """With which versions the package was installed and run, and when."""
    found = json.loads(INSTALLS.read_text(encoding="utf-8"))
    return (
        "# Versions that were run\n\nThe ranges in `pyproject.toml` are what ran. "
        "`constraints.txt` pins those of all tests and measured figures; the tables below are of "
        "installs without it, by `make test-newest` and `make test-oldest`, which are run before a "
        "release: `pip check`, the quick tests with every FutureWarning as an error, and a run of "
        "TRL's GRPOTrainer. `grm doctor` says which installed library is outside its range.\n\n"
        + "\n".join(_install(name, one) for name, one in found.items())
    )


def _install(name: str, found: Mapping[str, Any]) -> str:
    outcome = "; ".join(f"{step}: {said}" for step, said in found["outcome"].items())
    versions = ", ".join(f"{one} {number}" for one, number in found["versions"].items())
    noted = f" {found['note']}" if "note" in found else ""
    return f"## {name.capitalize()}\n\n{found['date']}. {outcome}.{noted}\n\n{versions}.\n"


def cli_page() -> str:
    """What ``--help`` of every command says."""
    import typer.main

    from grm_plugin.cli import app

    root = typer.main.get_command(app)
    parts = ["# Command line\n"]
    for name, command in _commands(root, "grm"):
        parts.append(f"## `{name}`\n\n{_plain(command.help)}\n\n{_options(command)}")
    return "\n".join(parts)


def _commands(group: Any, path: str) -> Iterator[tuple[str, Any]]:
    for name, command in sorted(group.commands.items()):
        if hasattr(command, "commands"):
            yield from _commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def _options(command: object) -> str:
    rows = []
    for option in getattr(command, "params", []):
        names = ", ".join(f"`{one}`" for one in (*option.opts, *option.secondary_opts))
        rows.append(f"| {names} | {_plain(getattr(option, 'help', '') or '')} |")
    return "| option | meaning |\n|---|---|\n" + "\n".join(rows) + "\n" if rows else ""


def _plain(text: str | None) -> str:
    return " ".join((text or "").replace("\b", "").split())


PAGES: dict[str, Callable[[], str]] = {
    "config.md": config_page,
    "adapters.md": adapters_page,
    "errors.md": errors_page,
    "hooks.md": hooks_page,
    "cli.md": cli_page,
    "figures.md": figures_page,
    "inputs.md": inputs_page,
    "benchmarks.md": lambda: benchmarks_page(part_options),
    "health.md": health_page,
    "metrics.md": metrics_page,
    "versions.md": versions_page,
}


def main() -> None:
    """Write all pages."""
    for name, page in PAGES.items():
        (HERE / "reference" / name).write_text(MARK + page(), encoding="utf-8")


if __name__ == "__main__":
    main()
