"""Python sources of the host, read without importing them.

Its command imports vLLM and more before it looks at an argument. So what has to be known is cut out
of the source and, where it is a value, run alone.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import cached_property
from io import StringIO
from pathlib import Path
from typing import Any

Explain = Callable[[str], Exception]


@dataclass(frozen=True)
class Sources:
    """The package of a host.

    Args:
        root: folder of the package.
        command: file of its command, below it.
        unreadable: makes the error for something that can not be read, from the reason.
    """

    root: Path
    command: str
    unreadable: Explain

    def declared(self) -> Mapping[str, Any]:
        """The names that its main part has made when it comes to parse the command line.

        Raises:
            Exception: what ``unreadable`` gives.
        """
        return self._run([*self._imports(), *self._declarations()])

    def refusal(self, argv: Sequence[str]) -> str:
        """What its main part says against these arguments before it begins to train.

        Empty where it says nothing, and where that can not be found out without the whole package.
        """
        parsed = ast.parse(f"args = parser.parse_args({[*argv]!r})").body
        statements = [*self._imports(), *self._declarations(), *parsed, *self._checks()]
        try:
            with redirect_stdout(StringIO()):  # it says all of that again
                self._run(statements)
        except (AssertionError, ValueError) as error:
            return str(error) or type(error).__name__
        except Exception:  # it wants more than is here; it will say so itself
            return ""
        return ""

    def argument(self, function: str, name: str) -> Any:
        """What its command gives ``function`` as keyword ``name``; None when it never does."""
        for node in ast.walk(self._command):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == function:
                for given in node.keywords:
                    if given.arg == name:
                        found = ast.Assign([ast.Name("found", ast.Store())], given.value)
                        return self._run([*self._imports(), found])["found"]
        return None

    def defines(self, file: str, function: str, *arguments: str) -> bool:
        """Whether ``file`` has a function of that name that takes all these arguments."""
        if not (self.root / file).is_file():
            return False
        found = [
            {argument.arg for argument in node.args.args}
            for node in ast.walk(self._parsed(file))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == function
        ]
        return any(set(arguments) <= names for names in found)

    @cached_property
    def _command(self) -> ast.Module:
        return self._parsed(self.command)

    def _parsed(self, file: str) -> ast.Module:
        try:
            return ast.parse((self.root / file).read_text(encoding="utf-8"))
        except (OSError, SyntaxError) as error:
            raise self.unreadable(f"{file}: {error}") from error

    def _imports(self) -> list[ast.stmt]:
        """Imports of the standard library; the declarations use no others."""
        return [
            node
            for node in self._command.body
            if (isinstance(node, ast.Import) and _standard(node.names[0].name))
            or (isinstance(node, ast.ImportFrom) and _standard(node.module or ""))
        ]

    def _declarations(self) -> list[ast.stmt]:
        """What its main part does before it parses the command line."""
        before, _ = self._main
        return before

    def _checks(self) -> Iterator[ast.stmt]:
        """What it does after that, before it trains, as far as that needs nothing to be installed.

        Functions of its own modules are taken from their sources.
        """
        _, after = self._main
        for node in after:
            if isinstance(node, ast.Expr) and ast.unparse(node).startswith("train("):
                return
            if isinstance(node, ast.ImportFrom) and self._own(node.module):
                yield from self._parsed(self._own(node.module)).body
            elif not any(isinstance(one, ast.Import | ast.ImportFrom) for one in ast.walk(node)):
                yield node

    def _own(self, module: str | None) -> str:
        """The file of a module of its package; empty for others."""
        package, _, rest = (module or "").partition(".")
        return f"{rest.replace('.', '/')}.py" if package == self.root.name else ""

    @cached_property
    def _main(self) -> tuple[list[ast.stmt], list[ast.stmt]]:
        """Its main part, before and after the line in which it parses the command line."""
        main = [node for node in self._command.body if isinstance(node, ast.If)]
        body = main[-1].body if main else []
        for place, node in enumerate(body):
            if isinstance(node, ast.Assign) and ".parse_args(" in ast.unparse(node):
                return body[:place], body[place + 1 :]
        raise self.unreadable("no parse_args in its main part")

    def _run(self, statements: list[ast.stmt]) -> Mapping[str, Any]:
        module = ast.fix_missing_locations(ast.Module(statements, []))
        names: dict[str, Any] = {}
        try:
            # the host's own lines, which the trainer itself runs a moment later
            exec(compile(module, str(self.root), "exec"), names)  # noqa: S102
        except (NameError, ImportError) as error:
            raise self.unreadable(str(error)) from error
        return names


def _standard(module: str) -> bool:
    return module.partition(".")[0] in sys.stdlib_module_names
