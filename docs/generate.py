"""Write the generated pages of ``docs/reference/``: ``python -m docs.generate``.

A test compares the pages in the repository with what this module makes, so they can not go stale.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path

from grm_plugin import errors, hookspecs
from grm_plugin.config import GRMConfig
from grm_plugin.types import Reason

HERE = Path(__file__).parent
EXAMPLES = HERE.parent / "tests" / "plugins" / "examples"
MARK = "<!-- made by `make docs`; do not edit -->\n\n"


def config_page() -> str:
    """Every setting with type, default and meaning."""
    rows = [
        f"| `{name}` | {_type(field.annotation)} | {_default(name)} | {field.description or ''} |"
        for name, field in GRMConfig.model_fields.items()
    ]
    return (
        "# Configuration\n\n"
        "Settings come, strongest first, from keywords (`GRM(k=16)`, `grm score --set k=16`), from "
        "a YAML file, from the file that `GRM_CONFIG` names, and from what the engine prefers. An "
        "unknown key is an error that names its nearest neighbour.\n\n"
        "| key | type | default | meaning |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"
    )


def errors_page() -> str:
    """Every error class and every reason for which a sample is dropped."""
    classes = [
        value
        for value in vars(errors).values()
        if inspect.isclass(value) and issubclass(value, errors.GRMError)
    ]
    listed = "\n".join(
        f"| `{one.__name__}` | `{one.__bases__[0].__name__}` | {_first(one)} |" for one in classes
    )
    reasons = "\n".join(f"- `{reason}`" for reason in Reason)
    return (
        "# Errors\n\nAll in `grm_plugin.errors`; all can be pickled.\n\n"
        f"| error | is a | meaning |\n|---|---|---|\n{listed}\n\n"
        "## Reasons of dropped samples\n\nValues of `grm_plugin.types.Reason`; see "
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
    title = f"## `{name}{inspect.signature(spec)}`"
    return f"{title}\n\n{inspect.getdoc(spec)}\n\n```python\n{example}\n```\n"


def cli_page() -> str:
    """What ``--help`` of every command says."""
    import typer.main

    from grm_plugin.cli import app

    root = typer.main.get_command(app)
    parts = ["# Command line\n"]
    for name, command in sorted(getattr(root, "commands", {}).items()):
        parts.append(f"## `grm {name}`\n\n{_plain(command.help)}\n\n{_options(command)}")
    return "\n".join(parts)


def _options(command: object) -> str:
    rows = []
    for option in getattr(command, "params", []):
        names = ", ".join(f"`{one}`" for one in (*option.opts, *option.secondary_opts))
        rows.append(f"| {names} | {_plain(getattr(option, 'help', '') or '')} |")
    return "| option | meaning |\n|---|---|\n" + "\n".join(rows) + "\n"


def _plain(text: str | None) -> str:
    return " ".join((text or "").replace("\b", "").split())


def _type(annotation: object) -> str:
    text = annotation.__name__ if inspect.isclass(annotation) else str(annotation)
    return "`" + text.replace("pathlib.", "").replace("|", "\\|") + "`"


def _default(name: str) -> str:
    if name == "engine":
        return "the 16B on a CUDA GPU, else `reference`"
    default = GRMConfig.model_fields[name].default
    return f"`{getattr(default, 'name', default)}`"


def _first(one: type) -> str:
    return " ".join((inspect.getdoc(one) or "").split("\n\n")[0].split())


PAGES: dict[str, Callable[[], str]] = {
    "config.md": config_page,
    "errors.md": errors_page,
    "hooks.md": hooks_page,
    "cli.md": cli_page,
}


def main() -> None:
    """Write all pages."""
    for name, page in PAGES.items():
        (HERE / "reference" / name).write_text(MARK + page(), encoding="utf-8")


if __name__ == "__main__":
    main()
