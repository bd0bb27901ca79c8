"""``grm`` on the command line: one module per command, and ``main``, where errors become lines.

Exit codes of every command: 0 done, 1 an error (one line on standard error says which) or a pipe
that nobody reads any more, 2 wrong usage, 130 interrupted. ``grm score`` adds 3: done, but some
groups are unscored, and 4: stopped because the budget might not pay for the next group; SIGTERM
ends it as Ctrl-C does, with 143.
"""

from __future__ import annotations

import errno
import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from typing import Annotated

import typer

from grm_plugin import __version__
from grm_plugin.cli import compare, demo, doctor, plugins, report, scale, score, serve, show, train
from grm_plugin.cli import eval as evaluation
from grm_plugin.cli.terminated import TERMINATED
from grm_plugin.errors import GRMError
from grm_plugin.report.terminal import err, out, say

INTERRUPTED = 130
# progress bars of libraries, which are noise in logs and pipes
NO_BARS = ("HF_DATASETS_DISABLE_PROGRESS_BARS", "HF_HUB_DISABLE_PROGRESS_BARS", "TQDM_DISABLE")

app = typer.Typer(
    name="grm",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="markdown",
)
for _command in (
    *(demo.demo, score.score, show.show, report.report, scale.scale),
    *(serve.serve, doctor.doctor, plugins.plugins),
):
    app.command()(_command)
app.command("eval")(evaluation.evaluate)
app.command()(compare.compare)
app.add_typer(train.train, name="train")


def _tell_version(asked: bool) -> None:
    if asked:
        out.print(f"grm-plugin {__version__}")
        raise typer.Exit


@app.callback()
def grm(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version and leave.", callback=_tell_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Score responses with a generative reward model.

    New here: run `grm demo`, then `grm doctor`, then `grm score`.
    """


def main(args: Sequence[str] | None = None) -> None:
    """Run ``grm`` with ``args`` (default: the command line) and leave with its exit code."""
    args = list(sys.argv[1:] if args is None else args)
    warnings.showwarning = _say_warning  # type: ignore[assignment]
    if not err.is_terminal:
        os.environ.update({name: "1" for name in NO_BARS if name not in os.environ})
    try:
        app(args=args, prog_name="grm")
    except SystemExit as end:
        if end.code in (INTERRUPTED, TERMINATED):
            _leave_now(end.code)
        raise
    except GRMError as error:
        if isinstance(error.__cause__, BrokenPipeError):
            sys.exit(1)  # whoever read the output has seen enough
        if "--debug" in args:
            traceback.print_exc()
        say(f"error: {error}")
        sys.exit(1)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        say(f"error: the output can not be written: {error.strerror}")
        _give_up_output()
        sys.exit(1)


def _leave_now(code: int) -> None:
    """Leave without waiting for a thread that still loads a model; the judge is closed."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _give_up_output() -> None:
    """Let what waits to be written go, so that it does not fail again at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say_warning(message: Warning | str, *_: object) -> None:
    say(f"warning: {message}")
