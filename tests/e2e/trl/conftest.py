"""A tiny random policy, a judge as an installed plug-in, and an environment for subprocesses."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import grm_plugin
from grm_plugin.plugins import Plugin, Plugins, installed
from tests.e2e.trl import shown_judge

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from tokenizers import Tokenizer, models, pre_tokenizers  # noqa: E402
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast  # noqa: E402

import grm_trl  # noqa: E402  (only where TRL is)

WORDS = ["red", "green", "blue", "one", "two", "three", "cat", "dog", "sun", "moon"]
FRAME = ["user", "assistant", "system", ":", ".", "?"]
CHAT = (
    "{% for message in messages %}{{ message['role'] }} : {{ message['content'] }} . {% endfor %}"
    "{% if add_generation_prompt %}assistant : {% endif %}"
)


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Two shared cores are much faster this way."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random policy with a vocabulary of a few words, and its tokenizer."""
    folder = tmp_path_factory.mktemp("policy")
    vocabulary = {word: i for i, word in enumerate(["<pad>", "<eos>", "<unk>", *WORDS, *FRAME])}
    words = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>"
    )
    tokenizer.chat_template = CHAT
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    size = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 2, "max_position_embeddings": 128}
    ends = {"pad_token_id": 0, "eos_token_id": 1, "bos_token_id": None}
    config = LlamaConfig(vocab_size=len(vocabulary), **size, **heads, **ends)
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture
def judge() -> Plugins:
    """Everything installed and the engine ``shown``."""
    return Plugins([*installed().plugins, Plugin("shown_judge", shown_judge)])


@pytest.fixture(scope="session")
def plugin_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that makes the judge and the adapter installed plug-ins for whoever imports it."""
    folder = tmp_path_factory.mktemp("plugins")
    source = Path(shown_judge.__file__).read_text()
    (folder / "shown_judge.py").write_text(source)
    info = folder / "shown_judge-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shown-judge\nVersion: 1.0\n")
    points = "[grm_plugin]\nshown_judge = shown_judge\n"
    if not entry_points(group="grm_plugin", name="trl"):  # a checkout that is not installed
        points += "trl = grm_trl.plugin\n"
    (info / "entry_points.txt").write_text(points)
    return folder


@pytest.fixture(scope="session")
def environment(plugin_folder: Path) -> Mapping[str, str]:
    """Environment of a subprocess that sees this checkout and the judge, and no hub."""
    sources = [Path(module.__file__ or "").parents[1] for module in (grm_plugin, grm_trl)]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, [plugin_folder, *sources])),
        "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "CUDA_VISIBLE_DEVICES": "",
    }


@pytest.fixture(autouse=True)
def single_process_state() -> Iterator[None]:
    """Accelerate keeps state between trainers of one process; start each test without."""
    yield
    from accelerate.state import AcceleratorState, PartialState

    AcceleratorState._reset_state()
    PartialState._reset_state()
