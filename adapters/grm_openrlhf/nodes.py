"""The judge as other nodes need it: what is started for them, and what they are told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from grm_openrlhf.options import SERVERS, OpenRLHFOptions, Placement
from grm_plugin.config import GRMConfig
from grm_plugin.options import read_options
from grm_plugin.prompts import is_template_file, load_template
from grm_plugin.remote.launching.launch import ServeOptions


@dataclass(frozen=True)
class Servers:
    """Judge servers that the launcher starts: what each is, how many, and who holds their key."""

    serve: ServeOptions
    placement: Placement
    api_key_env: str | None


def servers_of(config: GRMConfig, options: OpenRLHFOptions) -> Servers | None:
    """The judge servers that the launcher shall start; None where they run elsewhere."""
    engine = config.engine.options
    if engine.get("serve") is None:
        return None
    serve = _from_here(read_options(ServeOptions, "engine.serve", engine["serve"]))
    return Servers(serve, options.judge, engine.get("api_key_env"))


def _from_here(serve: ServeOptions) -> ServeOptions:
    """``serve`` with absolute paths, since Ray starts it in a folder of its own."""
    model = Path(serve.model).absolute()
    return serve.model_copy(
        update={
            "model": str(model) if model.exists() else serve.model,
            "log": serve.log.absolute() if serve.log else None,
        }
    )


def told(config: GRMConfig, servers: Servers | None, actors: int) -> GRMConfig:
    """The configuration for rollout actors: absolute paths, and no server to start.

    Each of them may spend its share of the budget.
    """
    if config.budget:
        config = config.but(budget=config.budget.share(actors))
    if servers:
        engine = {key: one for key, one in config.engine.options.items() if key != "serve"}
        engine |= {"name": SERVERS, "replicas": servers.placement.replicas}
        config = config.but(engine={**engine, "start_s": config.group_timeout_s})
    if config.record:
        config = config.but(record=config.record.absolute())
    return config


def template_text(config: GRMConfig) -> str | None:
    """The text of a template that is a file: other nodes may not have it."""
    name = config.template or ""
    if not is_template_file(name):
        return None
    load_template(Path(name))  # says what is wrong with it
    return Path(name).read_text(encoding="utf-8")
