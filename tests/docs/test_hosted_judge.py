"""The page about hosted judges: its code runs against stand-ins, its settings are settings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest
import yaml

from grm_plugin import GRM, GRMConfig
from grm_plugin.remote.providers import PROVIDERS
from tests.docs.test_docs import BLOCK, HERE
from tests.engines.judge_server import JudgeServer
from tests.engines.providers import KEY, QUIRKS, stand_in

PAGE = (HERE / "how-to" / "use-a-hosted-judge.md").read_text()
SETTINGS = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.M | re.S)


@pytest.fixture
def hosted(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, JudgeServer]]:
    """Every provider's address leads to its stand-in, and every key is there."""
    with ExitStack() as stack:
        found = {}
        for name, provider in PROVIDERS.items():
            quirks = QUIRKS[name] if name != "azure" else replace(QUIRKS[name], api="/openai/v1")
            quirks = replace(quirks, query={})
            server = stack.enter_context(stand_in(quirks, "Scores: \\boxed{9, 3}").running())
            found[name] = server
            if provider.url:
                url = f"{server.url}{server.api}"
                monkeypatch.setitem(PROVIDERS, name, replace(provider, url=url))  # type: ignore[arg-type]
            if provider.key_env:
                monkeypatch.setenv(provider.key_env, KEY)
        monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", f"{found['azure'].url}/openai/v1")
        monkeypatch.setenv("JUDGE_KEY", KEY)
        monkeypatch.setenv("ORGANISATION", "ours")
        monkeypatch.setenv("PROXY_LOGIN", "me:secret")
        yield found


def test_the_code_of_the_page_runs(
    hosted: dict[str, JudgeServer], capsys: pytest.CaptureFixture[str]
) -> None:
    names: dict[str, object] = {"__name__": "docs"}
    for code in BLOCK.findall(PAGE):
        exec(compile(code, "use-a-hosted-judge.md", "exec", dont_inherit=True), names)
    assert capsys.readouterr().out.splitlines() == ["(0.5555555555555556, 0.5555555555555556)"] * 5
    asked = {name for name, server in hosted.items() if server.bodies}
    assert asked == {"openai", "azure", "anthropic", "gemini", "openrouter"}


@pytest.mark.parametrize("text", SETTINGS)
def test_the_settings_of_the_page_are_settings(hosted: dict[str, JudgeServer], text: str) -> None:
    settings = {"engine": {"name": "server", "url": "http://h"}} | yaml.safe_load(text)
    GRM(GRMConfig.model_validate(settings)).close()


def test_the_table_of_the_page_names_every_provider() -> None:
    told = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", PAGE, re.M))))
    assert PROVIDERS.keys() <= told
