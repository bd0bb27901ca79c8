"""What ``grm score`` and ``grm show`` say of money, and what a budget does to a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grm_plugin.records import read_verdicts
from grm_plugin.types import Cost
from tests.cli.conftest import Ended
from tests.cli.files import read, rows, write
from tests.engines.judge_server import JudgeServer, status
from tests.serving.honest_judge import honest

Grm = Callable[..., Ended]
TINY = ("--engine", "tiny", "--set", "engine.log=log", "-k", "2", "--set", "max_tokens=100")
# the tiny judge reads 10 tokens a draw and writes 5
PRICED = (*TINY, "--set", "prices={prompt: 100, output: 400}")
A_GROUP = 2 * (10 * 100 + 5 * 400) / 1e6


def cost_of(path: Path) -> Cost:
    return sum((verdict.cost for verdict in read_verdicts(path)), Cost())


def test_money_is_in_records_in_the_summary_and_in_show(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "in.jsonl", rows(5))
    ended = grm("score", "in.jsonl", "-o", "out.jsonl", *PRICED)
    assert ended.code == 0
    assert "judge money $0.030" in ended.err
    records = read(tmp_path / "out.jsonl")
    assert [one["cost"]["money"] for one in records] == pytest.approx([A_GROUP] * 5)
    assert records[0]["judgments"][0]["money"] == pytest.approx(A_GROUP / 2)
    assert "10 written" in grm("show", "out.jsonl").out
    assert "s, $0.0060" in grm("show", "out.jsonl").out


def test_without_prices_nothing_is_said_of_money(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "in.jsonl", rows(1))
    assert "money" not in grm("score", "in.jsonl", "-o", "out.jsonl", *TINY).err
    assert "$" not in grm("show", "out.jsonl").out
    assert read(tmp_path / "out.jsonl")[0]["cost"]["money"] is None


def test_money_of_a_file_whose_first_part_had_no_prices_is_the_least(
    grm: Grm, tmp_path: Path
) -> None:
    write(tmp_path / "in.jsonl", rows(3))
    assert grm("score", "in.jsonl", "-o", "out.jsonl", "--limit", "1", *TINY).code == 0
    ended = grm("score", "in.jsonl", "-o", "out.jsonl", *PRICED)
    assert "judge money $0.012 at least; the price of 2 samples is not known" in ended.err


def test_a_budget_stops_the_run_says_so_and_a_larger_one_goes_on_where_it_was(
    grm: Grm, tmp_path: Path
) -> None:
    write(tmp_path / "in.jsonl", rows(40))
    ended = grm("score", "in.jsonl", "-o", "out.jsonl", *PRICED, "--set", "budget.money=0.5")
    assert ended.code == 4
    kept = len(read(tmp_path / "out.jsonl"))
    assert 1 < kept < 40
    assert (cost_of(tmp_path / "out.jsonl").money or 0.0) <= 0.5
    assert "stopped: budget.money: $0." in ended.err
    assert "of $0.50 is spent and $0." in ended.err
    assert f"kept in out.jsonl: {kept}; the same command goes on there, with a larger" in ended.err
    again = grm("score", "in.jsonl", "-o", "out.jsonl", *PRICED, "--set", "budget.money=0.5")
    assert again.code == 4
    assert len(read(tmp_path / "out.jsonl")) == kept
    more = grm("score", "in.jsonl", "-o", "out.jsonl", *PRICED, "--set", "budget.money=99")
    assert more.code == 0
    assert [one["id"] for one in read(tmp_path / "out.jsonl")] == [str(n) for n in range(40)]
    asked = (tmp_path / "log").read_text().splitlines()
    assert len(asked) == len(set(asked)) == 80  # nothing was paid for twice


def test_a_budget_in_tokens_needs_no_prices(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "in.jsonl", rows(9))
    ended = grm("score", "in.jsonl", "-o", "out.jsonl", *TINY, "--set", "budget.tokens=3000")
    assert ended.code == 4
    assert "tokens of 3,000 tokens is spent" in ended.err


def test_a_budget_in_money_without_prices_is_refused_before_the_judge_starts(
    grm: Grm, tmp_path: Path
) -> None:
    write(tmp_path / "in.jsonl", rows(1))
    ended = grm("score", "in.jsonl", "-o", "out.jsonl", *TINY, "--set", "budget.money=1")
    assert ended.code == 1
    assert "error: budget.money: the prices of engine 'tiny' are not known; set prices" in ended.err
    assert not (tmp_path / "log").exists()


def test_what_was_paid_for_verdicts_that_were_lost_or_replaced_counts(
    grm: Grm, tmp_path: Path
) -> None:
    write(tmp_path / "in.jsonl", [{"prompt": "question", "responses": ["quality 3", "quality 7"]}])
    asked = 0

    async def half_away(server: JudgeServer, request: Any, body: Any) -> Any:
        nonlocal asked
        asked += "n" in body
        act = honest if asked % 2 else status(500)
        return await act(server, request, body)

    judge_settings = ("-k", "2", "--set", "min_valid=2", "--set", "tries=1")
    judge_settings += ("--set", "find_culprits=0")
    with JudgeServer(otherwise=half_away).running() as judge:
        run = ("score", "in.jsonl", "-o", "out.jsonl", "--engine", "server", "--url", judge.url)
        run += (*judge_settings, "--set", "group_timeout_s=3")
        paid = []
        for option in ((), (), ("--retry-unscored",)):
            assert grm(*run, *option).code == 3
            paid.append(tokens(tmp_path / "out.jsonl"))
        assert paid == [paid[0], 2 * paid[0], 3 * paid[0]] != [0, 0, 0]
        judge.otherwise = honest
        assert grm(*run, "--set", f"budget.tokens={paid[-1] + 1}").code == 4
        assert grm(*run).code == 0
        assert tokens(tmp_path / "out.jsonl") == 5 * paid[0]


def tokens(path: Path) -> int:
    cost = cost_of(path)
    return cost.prompt_tokens + cost.output_tokens
