"""What a user says about a judge behind HTTP: where it is, and which server to start for it."""

from __future__ import annotations

from pydantic import Field

from grm_plugin.errors import ConfigError
from grm_plugin.options import Options
from grm_plugin.remote.launch import ServeOptions


class ConnectionOptions(Options):
    """Where the servers are; exactly one of ``url``, ``urls`` and ``serve``.

    Args:
        url: one server, such as ``http://host:8001``.
        urls: several that serve the same model; whole groups go to the least loaded one.
        serve: start a server for as long as this engine lives.
        model: its name at the server; None takes the only one the server lists.
        api_key_env: name of the environment variable that holds the key.
        max_response_bytes: longest answer that is read.
        start_timeout_s: seconds for which a server is waited for that is still loading when we
            start; 0 does not wait. (One that ``serve`` starts has its own.)
        requests_per_minute: most requests that are posted in a minute, by this process to all
            servers together. None: as many as they take; when they say that it is too much, fewer.
    """

    url: str | None = None
    urls: tuple[str, ...] = ()
    serve: ServeOptions | None = None
    model: str | None = None
    api_key_env: str | None = None
    max_response_bytes: int = Field(8_000_000, ge=1)
    start_timeout_s: float = Field(300.0, ge=0, allow_inf_nan=False)
    requests_per_minute: int | None = Field(None, ge=1)


def check_one_source(options: ConnectionOptions, owner: str) -> None:
    """Raise a :class:`ConfigError` unless exactly one of url, urls and serve is given."""
    given = [name for name in ("url", "urls", "serve") if getattr(options, name)]
    if len(given) != 1:
        raise ConfigError(
            f"{owner}: expected exactly one of url, urls and serve, "
            f"got {' and '.join(given) or 'none'}"
        )
