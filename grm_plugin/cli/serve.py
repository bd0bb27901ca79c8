"""``grm serve``: the judge behind HTTP, for trainers that ask for rewards over the network."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Exit, Option

from grm_plugin.cli.judge import JudgeSettings, read_pairs, takes_judge
from grm_plugin.config import GRMConfig
from grm_plugin.errors import ConfigError, not_installed
from grm_plugin.grm import GRM
from grm_plugin.options import read_options
from grm_plugin.remote.secret import Secret
from grm_plugin.report.terminal import say

if TYPE_CHECKING:
    from grm_plugin.serving.judging import Judge
    from grm_plugin.serving.settings import ServingSettings
    from grm_plugin.serving.tokens import Tokens

INTERRUPTED = 130
_OWNER = "grm serve"


@takes_judge
def serve(
    settings: JudgeSettings,
    host: Annotated[str, Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, Option(min=0, max=65535, help="0 takes a free one.")] = 8400,
    replicas: Annotated[
        int | None, Option(min=1, help="Judge in so many processes, on a Ray cluster.")
    ] = None,
    token_env: Annotated[
        str | None,
        Option(metavar="NAME", help="Environment variable with the token that callers must send."),
    ] = None,
    token_file: Annotated[
        Path | None,
        Option(help="File with tokens: in each line one, or a name and one; read as it changes."),
    ] = None,
    no_token: Annotated[
        bool, Option("--no-token", help="Let everybody in who can reach the address.")
    ] = False,
    serving: Annotated[
        list[str] | None,
        Option(metavar="KEY=VALUE", help="A setting of the server, such as `group_size=8`."),
    ] = None,
) -> None:
    """Serve rewards over HTTP until SIGTERM or Ctrl-C.

    `/get_reward` speaks OpenRLHF's protocol, `/v1/score` takes groups and gives whole verdicts,
    `/health` and `/metrics` are for operators, `/docs` shows the rest. At the end the calls in
    flight are answered and new ones refused.

    Exit code: 0 ended by SIGTERM, 130 by Ctrl-C, 1 an error.
    """
    try:
        from grm_plugin.serving.app import create_app
        from grm_plugin.serving.logs import log_to_stderr
        from grm_plugin.serving.server import check_host, serve
        from grm_plugin.serving.settings import ServingSettings
    except ImportError as error:
        raise not_installed(_OWNER, "serve", error) from error
    log_to_stderr()
    rules = read_options(ServingSettings, _OWNER, read_pairs(serving or (), "--serving"))
    tokens = _tokens(token_env, token_file)
    check_host(host, has_token=bool(tokens), open_to_all=no_token)
    config = settings.load()
    if config.schedule:
        say(
            f"schedule: callers tell no step, so a group gets k = {config.k} samples; callers of "
            "/v1/score can ask for others with size"
        )
    app = create_app(_judge(config, replicas, rules), rules, tokens)
    ended_by = serve(app, host=host, port=port, say=say)
    raise Exit(INTERRUPTED if ended_by == signal.SIGINT else 0)


def _judge(config: GRMConfig, replicas: int | None, rules: ServingSettings) -> Judge:
    if replicas is None:
        from grm_plugin.serving.judging import LocalJudge

        return LocalJudge(GRM(config))
    try:
        from grm_plugin.serving.cluster import RayJudge
    except ImportError as error:
        raise not_installed(f"{_OWNER} --replicas", "ray", error) from error
    return RayJudge(config, replicas, rules)


def _tokens(name: str | None, file: Path | None) -> Tokens:
    from grm_plugin.serving.tokens import Token, Tokens

    if name and file:
        raise ConfigError("expected one of --token-env and --token-file, got both")
    if file is not None:
        return Tokens.from_file(file)
    token = Secret.from_environment(name, _OWNER, "--token-env").value
    return Tokens([Token.of(token)] if token else ())
