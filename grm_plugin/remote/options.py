"""What a user says about a judge behind HTTP: where it is, and how requests are let in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field

from grm_plugin.errors import ConfigError
from grm_plugin.options import Options
from grm_plugin.remote.launching.launch import ServeOptions
from grm_plugin.remote.providers import Provider

_ASKED_S = 60.0  # servers are asked what they are, and a process of ours is ended


class ConnectionOptions(Options):
    """Where the servers are; exactly one of ``url``, ``urls`` and ``serve``.

    Args:
        url: one server, such as ``http://host:8001``; a ``provider`` of one address needs none.
        urls: several that serve the same model; whole groups go to the least loaded one.
        serve: start a server for as long as this engine lives.
        provider: whose endpoint it is: ``openai``, ``azure``, ``anthropic``, ``gemini``,
            ``mistral``, ``together``, ``fireworks``, ``groq``, ``deepseek``, ``openrouter``,
            ``tgi``, ``sglang``, ``llamacpp``, ``ollama`` or ``vllm``. It sets the address, the
            key's variable and header, and the shape of requests, as far as nothing else is said.
        model: its name at the server; None takes the only one the server lists.
        api_key_env: name of the environment variable that holds the key.
        key_header: the header that carries the key; None is ``Authorization: Bearer``, or what
            the provider wants.
        headers: sent with every request. ``${NAME}`` stands for an environment variable, and
            whatever is called a key or token must be one.
        query: added to every URL, such as ``{api-version: 2024-10-21}``; ``${NAME}`` as above.
        proxy: ``environment`` (``HTTPS_PROXY``, ``HTTP_PROXY``, ``NO_PROXY``; never for this
            machine), ``none``, or the URL of one.
        ca_file: PEM file of certificates to trust besides those of the system.
        max_response_bytes: longest answer that is read.
        start_timeout_s: seconds for which a server is waited for that is still loading when we
            start; 0 does not wait. (One that ``serve`` starts has its own.)
        requests_per_minute: most requests that are posted in a minute, by this process to all
            servers together. None: as many as they take; when they say that it is too much, fewer.
    """

    url: str | None = None
    urls: tuple[str, ...] = ()
    serve: ServeOptions | None = None
    provider: str | None = None
    model: str | None = None
    api_key_env: str | None = None
    key_header: str | None = None
    headers: Mapping[str, str] = {}
    query: Mapping[str, str] = {}
    proxy: str = "environment"
    ca_file: Path | None = None
    max_response_bytes: int = Field(8_000_000, ge=1)
    start_timeout_s: float = Field(300.0, ge=0, allow_inf_nan=False)
    requests_per_minute: int | None = Field(None, ge=1)

    @property
    def start_limit_s(self) -> float:
        """Seconds after which a start has ended by itself, well or with what it waited for."""
        served_s = self.serve.start_timeout_s if self.serve else 0.0
        return served_s + self.start_timeout_s + _ASKED_S


def urls_of(options: ConnectionOptions, provider: Provider, owner: str) -> tuple[str, ...]:
    """The addresses to ask; none where the server is to be started.

    Raises:
        ConfigError: not exactly one of url, urls and serve is given, or a hosted model is not
            named.
    """
    given = [name for name in ("url", "urls", "serve") if getattr(options, name)]
    if not given and provider.url:
        given, options = ["url"], options.model_copy(update={"url": provider.url})
    if len(given) != 1:
        raise ConfigError(
            f"{owner}: expected exactly one of url, urls and serve, "
            f"got {' and '.join(given) or 'none'}"
        )
    if not (provider.lists or options.model):
        raise ConfigError(f"{owner}: provider {options.provider}: name the judge with model")
    return (options.url,) if options.url else options.urls
