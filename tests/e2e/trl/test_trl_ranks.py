"""Groups split over real gloo ranks, against the same rows in a single process."""

from __future__ import annotations

import json
import random
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from grm_plugin.plugins import Plugins
from grm_trl import GRMReward

torch = pytest.importorskip("torch")

WORKER = Path(__file__).with_name("rank_worker.py")
SHOWN = {"engine": "shown", "k": 3}
STEP = {
    "max_completion_length": 5,
    "report_to": "none",
    "use_cpu": True,
    "bf16": False,
    "gradient_checkpointing": False,
    "save_strategy": "no",
    "disable_tqdm": True,
}


def run_ranks(
    world: int, work: str, folder: Path, environment: Mapping[str, str], worker: Path = WORKER
) -> list[Any]:
    """What each of ``world`` processes of ``worker`` saw."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = {"WORLD_SIZE": str(world), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    processes = [
        subprocess.Popen(
            [sys.executable, str(worker), work, str(folder)],
            env={**environment, **shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.DEVNULL,
            stderr=(folder / f"stderr{rank}").open("w"),
        )
        for rank in range(world)
    ]
    try:
        codes = [process.wait(timeout=240) for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert codes == [0] * world, (folder / "stderr0").read_text()[-3000:]
    return [json.loads((folder / f"seen{rank}.json").read_text()) for rank in range(world)]


def rows(seed: int, prompts: int, size: int, *, shuffled: bool = False) -> list[tuple[str, str]]:
    rng = random.Random(seed)
    found = [
        (f"prompt {p}", f"answer {rng.randrange(10**6)}")
        for p in range(prompts)
        for _ in range(size)
    ]
    if shuffled:
        rng.shuffle(found)
    return found


def cut(found: list[Any], *ends: int) -> list[list[Any]]:
    """Rows of each rank: up to the first end, from there to the second, and so on."""
    starts = (0, *ends)
    return [found[start:end] for start, end in zip(starts, (*ends, len(found)), strict=True)]


def shapes(world: int) -> dict[str, dict[str, Any]]:
    """Odd ways to spread groups over ranks."""
    ends = [2 * rank for rank in range(1, world)]
    uneven = [1, 1, 7][: world - 1]
    twice = [*rows(5, 1, 4), *rows(6, 1, 4)]
    return {
        "one group over all ranks": {"rows_by_rank": cut(rows(1, 1, 2 * world), *ends)},
        "groups of four, two rows a rank": {"rows_by_rank": cut(rows(2, 2, 4), *ends)},
        "uneven, one rank maybe empty": {"rows_by_rank": cut(rows(3, 3, 4), *uneven)},
        "shuffled over ranks": {"rows_by_rank": cut(rows(4, 4, 3, shuffled=True), *ends)},
        "one prompt twice, cut at four": {
            "rows_by_rank": cut(twice, *ends),
            "settings": {"num_generations": 4},
        },
        "awaited": {"rows_by_rank": cut(rows(7, 3, 3), *ends), "async": True},
    }


def faults(world: int, folder: Path) -> dict[str, dict[str, Any]]:
    """What goes wrong on one rank or on all."""
    spread = cut(rows(8, 3, 4), *[3 * rank for rank in range(1, world)])
    whole = cut(rows(9, world, 2), *[2 * rank for rank in range(1, world)])
    column = {"columns": {"reference": "answer"}}
    answers = [{"answer": ["x"] * len(part)} for part in spread]
    broken = {"name": "shown", "broken_on_rank": 1}
    return {
        "broken": {"rows_by_rank": spread, "settings": {"engine": broken}},
        "broken, awaited": {"rows_by_rank": spread, "settings": {"engine": broken}, "async": True},
        "exits": {"rows_by_rank": spread, "settings": {"engine": {**broken, "exits": True}}},
        "exits, awaited": {
            "rows_by_rank": spread,
            "settings": {"engine": {**broken, "exits": True}},
            "async": True,
        },
        "draws": {"rows_by_rank": whole, "settings": {"engine": {**broken, "broken": "draw"}}},
        "no column": {
            "rows_by_rank": spread,
            "columns_by_rank": [{}, *answers[1:]],
            "settings": column,
        },
        "dead": {
            "rows_by_rank": spread,
            "settings": {
                "engine": {"name": "shown", "dead": True},
                "dead_groups": 1,
                "dead_after_s": 0,
            },
        },
        "slow": {
            "rows_by_rank": spread,
            "settings": {"engine": {"name": "shown", "delay_s": 60}, "batch_timeout_s": 0.3},
        },
        "check, split": {"rows_by_rank": spread, "settings": {"groups": "check"}},
        "check, whole": {"rows_by_rank": whole, "settings": {"groups": "check"}},
        "local": {"rows_by_rank": spread, "settings": {"groups": "local"}},
        "record": {
            "rows_by_rank": spread,
            "settings": {"record": str(folder / "verdicts.jsonl")},
        },
    }


@pytest.fixture(scope="module", params=[2, 3])
def outcomes(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    environment: Mapping[str, str],
) -> tuple[dict[str, Any], dict[str, list[Any]], Path]:
    """The cases of one world and, for each, what every rank saw."""
    folder = tmp_path_factory.mktemp(f"world{request.param}")
    cases = {**shapes(request.param), **faults(request.param, folder)}
    for case in cases.values():
        case["settings"] = {**SHOWN, **case.get("settings", {})}
    (folder / "cases.json").write_text(json.dumps(list(cases.values())))
    seen = run_ranks(request.param, "score", folder, environment)
    by_case = {name: [rank[i] for rank in seen] for i, name in enumerate(cases)}
    return cases, by_case, folder


def single(case: dict[str, Any], judge: Plugins) -> list[float | None]:
    """The rewards of all rows in one process."""
    flat = [row for part in case["rows_by_rank"] for row in part]
    settings = {**case["settings"], "record": None}
    reward = GRMReward(plugins=judge, **settings)
    return reward([row[0] for row in flat], [row[1] for row in flat])


def test_split_groups_get_the_rewards_of_a_single_process_bit_for_bit(
    outcomes: Any, judge: Plugins
) -> None:
    cases, seen, _ = outcomes
    world = len(cases["record"]["rows_by_rank"])
    for name in (*shapes(world), "check, whole", "record"):
        together = [reward for rank in seen[name] for reward in rank["rewards"]]
        assert together == single(cases[name], judge), name
        assert len(set(together)) > 2, name


def test_every_rank_logs_the_numbers_of_all_groups(outcomes: Any) -> None:
    _, seen, _ = outcomes
    for rank in seen["shuffled over ranks"]:
        numbers = {k: v for k, v in rank["metrics"].items() if k not in ("seconds", "step_share")}
        first = seen["shuffled over ranks"][0]["metrics"]
        assert numbers == {key: first[key] for key in numbers}
        assert numbers["tokens_in"] == 4 * 3 * 7


@pytest.mark.parametrize("name", ["broken", "broken, awaited"])
def test_a_judge_that_breaks_on_one_rank_raises_on_all_and_names_it(
    name: str, outcomes: Any
) -> None:
    _, seen, _ = outcomes
    for rank in seen[name]:
        assert "RankError: rank 1 of" in rank["error"]
        assert "the judge of this rank is broken" in rank["error"]
        assert "rank 0 of" not in rank["error"]
        assert rank["seconds"] < 20


@pytest.mark.parametrize("name", ["exits", "exits, awaited"])
def test_a_judge_that_exits_on_one_rank_leaves_nobody_waiting(name: str, outcomes: Any) -> None:
    _, seen, _ = outcomes
    for rank in seen[name]:
        assert "the judge of this rank is broken" in rank["error"]
        assert rank["seconds"] < 20


def test_a_judge_that_breaks_while_it_draws_costs_the_groups_of_its_rank(outcomes: Any) -> None:
    _, seen, _ = outcomes
    world = len(seen["draws"])
    lost = [rank["rewards"].count(None) for rank in seen["draws"]]
    assert lost == [2 * (rank == 1) for rank in range(world)]
    assert {rank["metrics"]["unscored_rate"] for rank in seen["draws"]} == {1 / world}


def test_a_column_that_one_rank_lacks_raises_on_all(outcomes: Any) -> None:
    _, seen, _ = outcomes
    for rank in seen["no column"]:
        assert "RankError: rank 0 of" in rank["error"]
        assert "no column 'answer'" in rank["error"]


def test_a_dead_judge_stops_every_rank(outcomes: Any) -> None:
    _, seen, _ = outcomes
    for rank in seen["dead"]:
        assert "JudgeDeadError: 1 group came back" in rank["error"]


def test_a_slow_judge_meets_our_deadline_before_any_collectives(outcomes: Any) -> None:
    _, seen, _ = outcomes
    for rank in seen["slow"]:
        assert set(rank["rewards"]) == {None}
        assert rank["metrics"]["unscored_rate"] == 1.0
        assert rank["seconds"] < 10


def test_check_refuses_split_groups_and_says_what_to_change(outcomes: Any) -> None:
    _, seen, _ = outcomes
    for rank in seen["check, split"]:
        assert "over the ranks 0, 1" in rank["error"]
        assert "a multiple of num_generations, or use groups: gather" in rank["error"]


def test_local_keeps_to_the_own_rows(outcomes: Any, judge: Plugins) -> None:
    cases, seen, _ = outcomes
    for part, rank in zip(cases["local"]["rows_by_rank"], seen["local"], strict=True):
        case = {"rows_by_rank": [part], "settings": SHOWN}
        assert rank["rewards"] == single(case, judge)


def test_each_rank_records_the_groups_it_judged(outcomes: Any) -> None:
    cases, _, folder = outcomes
    world = len(cases["record"]["rows_by_rank"])
    counts = [
        len((folder / f"verdicts.jsonl.rank{rank}").read_text().splitlines())
        for rank in range(world)
    ]
    assert counts == ([1, 2] if world == 2 else [1, 1, 1])


def test_grpo_on_two_ranks_gets_whole_groups_although_trl_splits_them(
    tiny_model: Path, tmp_path: Path, environment: Mapping[str, str], judge: Plugins
) -> None:
    config = {**STEP, "num_generations": 4, "per_device_train_batch_size": 2, "max_steps": 2}
    settings = {
        "model": str(tiny_model),
        "prompts": ["red cat ?", "blue dog ?", "one sun ?"],
        "reward": SHOWN,
        "config": config,
    }
    (tmp_path / "train.json").write_text(json.dumps(settings))
    seen = run_ranks(2, "train", tmp_path, environment)
    assert [len(calls) for calls in seen] == [2, 2]
    for left, right in zip(*seen, strict=True):
        prompts = left["prompts"] + right["prompts"]
        assert len(left["prompts"]) == 2
        assert len(set(prompts)) == 1
        alone = GRMReward(plugins=judge, **SHOWN)
        completions = left["completions"] + right["completions"]
        assert left["rewards"] + right["rewards"] == alone(prompts, completions)


def test_on_two_ranks_an_unscored_group_beside_another_reward_has_no_advantage(
    tiny_model: Path, tmp_path: Path, environment: Mapping[str, str]
) -> None:
    split = {"num_generations": 4, "per_device_train_batch_size": 6, "scale_rewards": "batch"}
    settings = {
        "model": str(tiny_model),
        "prompts": ["red cat ?", "blue dog ?", "one sun ?"],
        "reward": {"engine": {"name": "shown", "away_for": "dog"}, "k": 2},
        "config": {**STEP, **split, "max_steps": 1, "beta": 0.0},
    }
    (tmp_path / "train.json").write_text(json.dumps(settings))
    seen, *_ = run_ranks(2, "mix", tmp_path, environment)
    grm, length = torch.tensor(seen["rewards"]["grm"]), torch.tensor(seen["rewards"]["length"])
    unscored = torch.tensor(["dog" in prompt for prompt in seen["prompts"]])
    advantages = torch.tensor(seen["advantages"])
    assert unscored.sum() == 4
    assert grm[unscored].isnan().all()
    assert length[unscored].isnan().all()
    assert (advantages[unscored] == 0).all()
    rewards = (grm + length)[~unscored].view(-1, 4)
    expected = (rewards - rewards.mean(1, keepdim=True)) / (rewards.std() + 1e-4)
    assert advantages[~unscored].tolist() == pytest.approx(expected.flatten().tolist(), abs=2e-4)
