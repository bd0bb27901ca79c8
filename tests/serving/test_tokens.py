"""Several tokens, their names, and how they are changed under a running server."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from grm_plugin.errors import ConfigError
from grm_plugin.serving.errors import Refused
from grm_plugin.serving.tokens import Token, Tokens
from tests.engines.judge_server import JudgeServer
from tests.serving.conftest import Serve, row


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def file_of(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "tokens"
    path.write_text(text)
    path.chmod(mode)
    return path


def sent(*values: str) -> list[tuple[bytes, bytes]]:
    return [(b"authorization", value.encode()) for value in values]


def test_a_file_holds_tokens_with_names_and_without(tmp_path: Path) -> None:
    text = "# since May\ntrainer new\n\ntrainer old\nplain\n"
    tokens = Tokens.from_file(file_of(tmp_path, text))
    names = [tokens.name_of(sent(f"Bearer {value}")) for value in ("new", "old", "plain")]
    assert names == ["trainer", "trainer", ""]


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_may_be_written_in_any_case_and_the_token_may_not(scheme: str) -> None:
    tokens = Tokens([Token.of("Secret")])
    assert tokens.name_of(sent(f"{scheme} Secret")) == ""
    with pytest.raises(Refused, match="Authorization: Bearer"):
        tokens.name_of(sent(f"{scheme} secret"))


@pytest.mark.parametrize(
    "values",
    [
        (),
        ("",),
        ("Bearer",),
        ("Bearer ",),
        ("Secret",),
        ("Basic Secret",),
        ("BearerSecret",),
        ("Bearer Secre",),
        ("Bearer Secrett",),
        ("Bearer Secret", "Bearer Secret"),
        ("Bearer Sécret",),
    ],
)
def test_nothing_else_lets_a_call_in(values: tuple[str, ...]) -> None:
    with pytest.raises(Refused, match="expected the header Authorization") as refused:
        Tokens([Token.of("Secret")]).name_of(sent(*values))
    assert refused.value.status == 401


def test_a_token_is_not_shown_by_what_holds_it() -> None:
    assert "Secret" not in repr(Token.of("Secret"))


@pytest.mark.parametrize(
    ("text", "mode", "telling"),
    [
        ("s3cret", 0o644, "no access to, got mode 0644; say chmod 600"),
        ("s3cret", 0o602, "got mode 0602"),
        ("\n# nothing\n", 0o600, "expected a token, got none"),
        ("fine\na name s3cret", 0o600, "line 2: expected a token, or a name and a token"),
        ("näme s3cret", 0o600, "line 1: expected a token"),
        ("s3crét", 0o600, "line 1: expected a token"),
    ],
)
def test_a_file_that_is_no_secret_or_holds_no_token_is_refused_and_not_shown(
    tmp_path: Path, text: str, mode: int, telling: str
) -> None:
    with pytest.raises(ConfigError, match=telling) as error:
        Tokens.from_file(file_of(tmp_path, text, mode))
    assert "s3cr" not in str(error.value)


def test_a_file_that_a_group_may_read_is_taken(tmp_path: Path) -> None:
    assert Tokens.from_file(file_of(tmp_path, "s3cret", 0o640))


def known(tokens: Tokens, value: str) -> bool:
    try:
        tokens.name_of(sent(f"Bearer {value}"))
    except Refused:
        return False
    return True


def test_a_token_counts_from_its_line_in_the_file_to_the_removal_of_that(tmp_path: Path) -> None:
    clock = Clock()
    path = file_of(tmp_path, "old\n")
    tokens = Tokens([Token.of("old")], path, clock)
    assert (known(tokens, "old"), known(tokens, "new")) == (True, False)
    path.write_text("old\nnew\n")
    clock.now = 1
    assert (known(tokens, "old"), known(tokens, "new")) == (True, True)
    path.write_text("new\n")
    clock.now = 2
    assert (known(tokens, "old"), known(tokens, "new")) == (False, True)


@pytest.mark.parametrize("change", ["empty", "gone", "open", "torn"])
def test_a_file_that_becomes_unusable_changes_no_token_and_is_told_of_once(
    tmp_path: Path, change: str, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    path = file_of(tmp_path, "old\n")
    tokens = Tokens([Token.of("old")], path, clock)
    if change == "gone":
        path.unlink()
    else:
        path.write_text({"empty": "", "torn": "old and more"}.get(change, "old\nnew"))
        path.chmod(0o666 if change == "open" else 0o600)
    for clock.now in (1, 2, 3):
        assert (known(tokens, "old"), known(tokens, "new")) == (True, False)
    assert len([one for one in caplog.messages if "stay as they were" in one]) == 1


def test_a_file_that_is_usable_again_is_read_though_its_text_is_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    path = file_of(tmp_path, "old\n")
    tokens = Tokens([Token.of("old")], path, clock)
    path.write_text("new\n")
    path.chmod(0o644)
    clock.now = 1
    assert (known(tokens, "old"), known(tokens, "new")) == (True, False)
    path.chmod(0o600)
    clock.now = 2
    assert (known(tokens, "old"), known(tokens, "new")) == (False, True)
    path.chmod(0o604)  # opened to others with tokens that count
    clock.now = 3
    assert known(tokens, "new")
    assert len([one for one in caplog.messages if "say chmod 600" in one]) == 2


def test_a_file_that_could_not_be_read_for_a_moment_is_read_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    path = file_of(tmp_path, "old\n")
    tokens = Tokens([Token.of("old")], path, clock)
    path.write_text("newer\n")
    with monkeypatch.context() as broken:
        broken.setattr(Path, "read_text", _fails)
        clock.now = 1
        assert known(tokens, "old")
    clock.now = 2
    assert (known(tokens, "old"), known(tokens, "newer")) == (False, True)


def _fails(path: Path, **more: object) -> str:
    raise OSError("a stale file handle")


async def test_tokens_are_changed_without_a_restart_and_calls_are_counted_by_name(
    serve: Serve, judge: JudgeServer, tmp_path: Path
) -> None:
    path = file_of(tmp_path, "trainer-1 old\n")
    server = await serve(judge.url, "--token-file", str(path))
    body = {"groups": [row(10)]}

    async def status(token: str) -> int:
        headers = {"Authorization": f"bearer {token}"}
        return (await server.post("/v1/score", body, headers=headers))[0]

    async def until(token: str, wanted: int) -> None:
        async with asyncio.timeout(30):
            while await status(token) != wanted:
                await asyncio.sleep(0.1)

    assert (await status("old"), await status("new")) == (200, 401)
    fresh = file_of(tmp_path, "trainer-1 old\ntrainer-1 new\n").rename(tmp_path / "next")
    os.replace(fresh, path)
    await until("new", 200)
    assert await status("old") == 200
    server.process.line("tokens read again: .*tokens has 2")
    path.write_text("trainer-1 new\n")
    await until("old", 401)
    assert await status("new") == 200
    headers = {"Authorization": "Bearer new"}
    async with server.session.get("/metrics", headers=headers) as answer:
        text = await answer.text()
    assert 'grm_caller_calls_total{status="200",token="trainer-1"}' in text
