"""The doors that groups come through, each as its caller uses it, for one row at a time."""

from __future__ import annotations

import asyncio
import csv
import gzip
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import uvicorn

from grm_openrlhf.options import OpenRLHFOptions
from grm_openrlhf.reading import Reader as RolloutReader
from grm_openrlhf.settings import RunSettings
from grm_plugin import GRM, GRMConfig
from grm_plugin.errors import InputError
from grm_plugin.hosts.inputs.opening import Input
from grm_plugin.hosts.messages import Reader
from grm_plugin.records import from_record
from grm_plugin.serving.app import create_app
from grm_plugin.serving.callers import Caller
from grm_plugin.serving.judging import LocalJudge
from grm_plugin.serving.protocols.openrlhf import RewardCall, arrivals
from grm_plugin.serving.settings import ServingSettings
from grm_plugin.testing import scripted
from grm_plugin.types import Group, Message
from grm_trl.grouping import Batch
from grm_trl.options import Columns
from grm_trl.rows import read_rows

Door = Callable[[Any, str, Path], Group]
"""A row, what happens to parts that can not be seen, and a folder for files."""


def only(path: Path, unseen: str) -> Group:
    """The group in a file, or in a saved data set."""
    (group,) = Input(str(path), reader=Reader(unseen=unseen)).groups()  # type: ignore[arg-type]
    return group


def lines(row: Any, unseen: str, folder: Path) -> Group:
    (folder / "rows.jsonl").write_text(json.dumps(row) + "\n")
    return only(folder / "rows.jsonl", unseen)


def compressed(row: Any, unseen: str, folder: Path) -> Group:
    (folder / "rows.jsonl.gz").write_bytes(gzip.compress(json.dumps(row).encode()))
    return only(folder / "rows.jsonl.gz", unseen)


def array(row: Any, unseen: str, folder: Path) -> Group:
    (folder / "rows.json").write_text(json.dumps([row], indent=1))
    return only(folder / "rows.json", unseen)


def cells(row: Mapping[str, Any], unseen: str, folder: Path) -> Group:
    """As CSV: lists and objects as JSON, a missing value as an empty cell."""
    path = folder / "rows.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(row)
        writer.writerow(map(cell, row.values()))
    return only(path, unseen)


def cell(value: Any) -> str:
    if value is None or value != value:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def parquet(row: Any, unseen: str, folder: Path) -> Group:
    arrow = pytest.importorskip("pyarrow")
    table = arrow.Table.from_pylist([row])
    pytest.importorskip("pyarrow.parquet").write_table(table, folder / "rows.parquet")
    return only(folder / "rows.parquet", unseen)


def saved(row: Any, unseen: str, folder: Path) -> Group:
    datasets = pytest.importorskip("datasets")
    datasets.Dataset.from_list([row]).save_to_disk(str(folder / "rows"))
    return only(folder / "rows", unseen)


def trl(row: Mapping[str, Any], unseen: str, folder: Path) -> Group:
    """One reward call: a prompt and a completion each, and the columns of the data set."""
    several = "responses" if "responses" in row else "completions"
    completions = row[several] if several in row else [row["completion"]]
    count = len(completions)
    call = {key: [row[key]] * count for key in ("id", "reference", "principles") if key in row}
    call |= {key: [row[key]] * count for key in ("image", "images") if key in row}
    call |= {"evidence": row["evidence"]} if row.get("evidence") else {}
    columns = {name: name for name in call if "image" not in name}
    rows = read_rows(
        [row["prompt"]] * count,
        completions,
        call,
        columns=Columns(**columns),
        reader=Reader(unseen=unseen),  # type: ignore[arg-type]
    )
    (group,) = Batch.of([rows], metadata={}).groups
    return group


def get_reward(prompt: Any, unseen: str) -> tuple[Message, ...]:
    """What was asked, as a label of OpenRLHF's protocol says it."""
    call = RewardCall(query=["qa"], prompts=["q"], labels=[prompt])
    settings = ServingSettings(label="conversation")
    reader = Reader(unseen=unseen)  # type: ignore[arg-type]
    return arrivals(call, Caller("trainer", "1"), settings, reader)[0].conversation


def openrlhf(prompt: Any, unseen: str) -> tuple[Message, ...]:
    """What was asked, as a rollout of OpenRLHF hands it over."""
    settings = RunSettings(config={"engine": "reference"}, label="conversation")
    reader = RolloutReader(settings, OpenRLHFOptions(unseen=unseen))  # type: ignore[arg-type]
    output: dict[str, Any] = {"observation_tokens": [], "action_ranges": [], "images": None}
    return reader.read("q", prompt, _Sampling(), output, _NoTokens()).conversation


class _Sampling:
    temperature = 1.0


class _NoTokens:
    all_special_ids: tuple[int, ...] = ()
    added_tokens_decoder: Mapping[int, Any] = {}
    eos_token_id = pad_token_id = None

    def decode(self, token_ids: Any, *, skip_special_tokens: bool) -> str:
        return ""


@contextmanager
def server(unseen: str) -> Iterator[Callable[[bytes], Group]]:
    """A reward server in a thread: the group that it makes of the first row of a body."""
    settings = ServingSettings(unseen=unseen)  # type: ignore[arg-type]
    judge = GRM(GRMConfig.model_validate({"engine": "scripted", "k": 1}), plugins=scripted(["x"]))
    running = uvicorn.Server(
        uvicorn.Config(create_app(LocalJudge(judge), settings), port=0, log_level="critical")
    )
    thread = threading.Thread(target=running.run)
    thread.start()
    while not running.started:
        threading.Event().wait(0.01)
    port = running.servers[0].sockets[0].getsockname()[1]

    async def ask(body: bytes) -> Group:
        async with (
            aiohttp.ClientSession() as session,
            session.post(
                f"http://127.0.0.1:{port}/v1/score",
                data=body,
                headers={"Content-Type": "application/json"},
            ) as answer,
        ):
            told = await answer.json()
            if answer.status != 200:
                assert answer.status == 422, told
                raise InputError(told["error"])
            return from_record(told["verdicts"][0]).group

    try:
        yield lambda body: asyncio.run(ask(body))
    finally:
        running.should_exit = True
        thread.join()
