"""What the OpenAI-compatible endpoints of common providers and servers take, as one table.

A provider that is not in it needs none: fields that a server refuses by name are learned (see
``grm_plugin.remote.fields``), and ``fields``, ``headers`` and ``query`` say the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from grm_plugin.errors import ConfigError, unknown

BEARER = "Authorization"


@dataclass(frozen=True, slots=True)
class Provider:
    """How one provider's endpoint differs from vLLM's.

    Args:
        url: its address, for those who have only one.
        key_env: the environment variable that holds its key by custom.
        key_header: the header that carries the key.
        fields: another name for a field of a request; None leaves it out.
        silent: fields that are left out where they would change nothing, since the endpoint
            refuses them so, or beside others.
        more: fields that every request carries.
        most_draws: draws of one request; None: as many as are asked for.
        lists: whether ``/v1/models`` names what may be asked for. Hosted catalogues leave out
            deployments, variants and own models.
        shows: whether it has such a list at all for who comes with this key. It is asked for it
            all the same: whatever it answers is a sign of life.
    """

    url: str = ""
    key_env: str = ""
    key_header: str = BEARER
    fields: Mapping[str, str | None] = field(default_factory=dict)
    silent: frozenset[str] = frozenset()
    more: Mapping[str, Any] = field(default_factory=dict)
    most_draws: int | None = None
    lists: bool = False
    shows: bool = True


# fields of vLLM's that closed endpoints refuse; see NEUTRAL in grm_plugin.remote.fields
_NO_NEUTRAL: dict[str, str | None] = {"top_k": None, "min_p": None, "repetition_penalty": None}
_OPENAI: dict[str, str | None] = {**_NO_NEUTRAL, "max_tokens": "max_completion_tokens"}

PROVIDERS: Mapping[str, Provider] = {
    # reasoning models take no temperature but 1: that is left to `fields`, since it changes draws
    "openai": Provider("https://api.openai.com/v1", "OPENAI_API_KEY", fields=_OPENAI),
    # a deployment's old address also wants `query: {api-version: ...}`
    "azure": Provider("", "AZURE_OPENAI_API_KEY", key_header="api-key", fields=_OPENAI),
    # n must be 1, seed and logprobs are ignored, temperature and top_p refused together
    "anthropic": Provider(
        "https://api.anthropic.com/v1",
        "ANTHROPIC_API_KEY",
        fields={**_NO_NEUTRAL, "seed": None, "n": None},
        silent=frozenset({"top_p"}),
        shows=False,  # its list of models wants the key in another header
    ),
    # unknown names are errors, and seed is one; at most 8 candidates
    "gemini": Provider(
        "https://generativelanguage.googleapis.com/v1beta/openai",
        "GEMINI_API_KEY",
        fields={**_NO_NEUTRAL, "seed": None},
        most_draws=8,
    ),
    # extra fields are errors; the seed has another name
    "mistral": Provider(
        "https://api.mistral.ai/v1",
        "MISTRAL_API_KEY",
        fields={**_NO_NEUTRAL, "seed": "random_seed"},
    ),
    "together": Provider("https://api.together.xyz/v1", "TOGETHER_API_KEY", fields={"top_k": None}),
    # a prompt that is too long would shorten the answer without a word
    "fireworks": Provider(
        "https://api.fireworks.ai/inference/v1",
        "FIREWORKS_API_KEY",
        fields={"top_k": None},
        more={"context_length_exceeded_behavior": "error"},
    ),
    # n must be 1; logprobs are an error
    "groq": Provider(
        "https://api.groq.com/openai/v1", "GROQ_API_KEY", fields={**_OPENAI, "n": None}
    ),
    # no n and no seed
    "deepseek": Provider(
        "https://api.deepseek.com/v1",
        "DEEPSEEK_API_KEY",
        fields={**_NO_NEUTRAL, "seed": None, "n": None},
    ),
    # no n; top_k is 0 or above, and off where it is not named
    "openrouter": Provider(
        "https://openrouter.ai/api/v1",
        "OPENROUTER_API_KEY",
        fields={"top_k": None, "n": None},
    ),
    # n is ignored; top_p must be below 1
    "tgi": Provider(fields={**_NO_NEUTRAL, "n": None}, silent=frozenset({"top_p"}), lists=True),
    # the draws of one request would share its seed
    "sglang": Provider(fields={"n": None}, lists=True),
    # n is ignored or refused; its own defaults are top_k 40 and min_p 0.05
    "llamacpp": Provider(fields={"repetition_penalty": "repeat_penalty", "n": None}, lists=True),
    # n is ignored
    "ollama": Provider("http://127.0.0.1:11434", fields={**_NO_NEUTRAL, "n": None}, lists=True),
    "vllm": Provider(lists=True),
}

PLAIN = Provider(lists=True)
"""Where no provider is named."""


def provider_of(name: str | None, owner: str) -> Provider:
    """The provider of that name; ``owner`` is how messages call the part.

    Raises:
        ConfigError: nobody knows one of that name; says which there are.
    """
    if name is None:
        return PLAIN
    if name not in PROVIDERS:
        raise ConfigError(f"{owner}: {unknown('provider', name, PROVIDERS)}")
    return PROVIDERS[name]
