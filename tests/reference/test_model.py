"""The shipped model and the training that makes such models."""

import json
import random
import subprocess
import sys
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest

import grm_plugin.reference

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from torch.utils.data import DataLoader  # noqa: E402

from grm_plugin.reference.making.batches import Pools, Stage, collate  # noqa: E402
from grm_plugin.reference.making.evaluation import read_scores  # noqa: E402
from grm_plugin.reference.making.generation import complete  # noqa: E402
from grm_plugin.reference.making.measurement import measure  # noqa: E402
from grm_plugin.reference.making.network import IGNORED, hidden_states  # noqa: E402
from grm_plugin.reference.making.recipe import of_size  # noqa: E402
from grm_plugin.reference.making.run import build_model, rate  # noqa: E402
from grm_plugin.reference.making.training import TrainingConfig, train  # noqa: E402
from grm_plugin.reference.prompt import render_prompt  # noqa: E402
from grm_plugin.reference.tasks.data import best_of_groups, draw_example  # noqa: E402
from grm_plugin.reference.tokenizer import build_tokenizer, save_tokenizer  # noqa: E402

SHIPPED = Path(grm_plugin.reference.__file__).parent / "model"
TOKENIZER = build_tokenizer()


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def shipped():
    return transformers.AutoModelForCausalLM.from_pretrained(SHIPPED).eval()


def test_importing_the_package_imports_neither_torch_nor_transformers():
    code = "import sys, grm_plugin.reference; print({'torch', 'transformers'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_the_shipped_weights_stay_under_eight_megabytes():
    assert (SHIPPED / "model.safetensors").stat().st_size < 8_000_000


def test_the_shipped_tokenizer_is_the_one_this_package_builds(tmp_path):
    save_tokenizer(tmp_path)
    for file in tmp_path.iterdir():
        assert file.read_text() == (SHIPPED / file.name).read_text(), file.name


def test_the_shipped_heads_suit_the_paged_attention_of_inference_engines():
    config = json.loads((SHIPPED / "config.json").read_text())
    assert config["head_dim"] % 16 == 0
    assert config["max_position_embeddings"] == 2048


@pytest.mark.parametrize("responses", [1, 2, 4, 8])
def test_the_shipped_model_boxes_one_score_for_every_response(shipped, responses):
    if responses == 1:
        rng = random.Random(7)
        prompts = [draw_example(rng, "heldout", responses=1).prompt for _ in range(12)]
    else:
        groups = best_of_groups(7, "heldout", responses=responses, number=12)
        prompts = [render_prompt(one.task.query, one.responses) for one in groups]
    done = complete(shipped, TOKENIZER, prompts, temperature=1.0, seed=0)
    read = [one.finished and read_scores(one.text, responses) is not None for one in done]
    assert sum(read) >= 10


def test_the_same_seed_samples_the_same_judgments(shipped):
    prompts = [draw_example(random.Random(3), "heldout", responses=2).prompt] * 4
    first = complete(shipped, TOKENIZER, prompts, temperature=1.0, seed=5)
    assert first == complete(shipped, TOKENIZER, prompts, temperature=1.0, seed=5)
    assert len({one.text for one in first}) > 1


def test_the_training_network_computes_what_transformers_computes():
    model = build_model(TrainingConfig(Path()))
    ids = torch.randint(3, 400, (2, 24), generator=torch.Generator().manual_seed(0))
    expected = model.model(input_ids=ids).last_hidden_state
    # bfloat16 keeps 8 bits of a number, four layers add up their roundings.
    assert torch.allclose(hidden_states(model, ids).float(), expected, atol=0.06)


def test_a_label_is_the_next_token_of_the_judgment_only():
    ids, labels, _ = collate([([1, 5, 6], [7, 2]), ([1], [8, 9, 2])])
    assert ids.tolist() == [[1, 5, 6, 7, 2], [1, 8, 9, 2, 0]]
    assert labels.tolist() == [[IGNORED, IGNORED, 7, 2, IGNORED], [8, 9, 2, IGNORED, IGNORED]]


def test_an_emphasis_falls_on_the_next_response_and_on_the_box_only():
    judgment = "Response 1 of 1: counts 2, ok. Score 9.\nScores: \\boxed{9}"
    answer = TOKENIZER.encode(judgment, add_special_tokens=False).ids
    _, labels, weights = collate([([1], answer)], emphasis=5.0)
    stressed = labels[(weights == 5.0) & (labels != IGNORED)].tolist()
    assert TOKENIZER.decode(stressed) == "Response Scores: \\boxed{9}"


def test_batches_resume_where_they_stopped():
    stages = (Stage(8, ("copy", "list")), Stage(12, ("judge", "check"), (2, 3)))
    make = lambda start: list(  # noqa: E731
        chain.from_iterable(Pools(stages, seed=1, tokens=800, start=start, steps=12))
    )
    whole, rest = make(0), make(8)
    assert len(whole) == 12
    assert all(
        torch.equal(a, b)
        for one, two in zip(whole[8:], rest, strict=True)
        for a, b in zip(one, two, strict=True)
    )


def test_several_workers_draw_the_same_batches_in_the_same_order():
    pools = Pools(
        (Stage(8, ("copy",)), Stage(20, ("list",))), seed=1, tokens=300, start=0, steps=20
    )
    drawn = [[*DataLoader(pools, batch_size=None, num_workers=workers)] for workers in (0, 1, 3)]
    first, *others = [[ids.tolist() for pool in all_ for ids, _, _ in pool] for all_ in drawn]
    assert len(first) == 20
    assert others == [first, first]


def test_a_shorter_and_wider_training_keeps_the_shares_of_its_stages():
    usual = TrainingConfig(Path())
    assert of_size(Path()) == usual
    made = of_size(Path(), steps=4200, width=512, layers=6)
    assert [stage.until for stage in made.stages] == [152, 400, 752, 1200, 4200]
    assert (made.width, made.feed_forward, made.init_std, made.layers) == (512, 1536, 0.03, 6)
    assert [replace(one, until=0) for one in made.stages] == [
        replace(one, until=0) for one in usual.stages
    ]


def test_the_training_network_computes_on_the_device_of_its_weights():
    model = build_model(of_size(Path(), layers=1, width=32))
    ids = torch.arange(8)[None]
    expected = hidden_states(model, ids)
    with torch.device("meta"):  # where whatever names no device ends, and computes nothing
        assert torch.equal(hidden_states(model, ids), expected)


def test_the_learning_rate_rises_stays_and_falls_to_zero():
    config = TrainingConfig(Path(), steps=1000, warmup=100, decay=0.5)
    assert rate(config, 0) == 0.01
    assert rate(config, 300) == 1
    assert rate(config, 750) == 0.5
    assert rate(config, 1000) == 0


@pytest.fixture
def small(tmp_path, monkeypatch):
    # The compiled graph takes longer to build than this training takes to run.
    monkeypatch.setattr("grm_plugin.reference.making.network._compiled", hidden_states)
    return TrainingConfig(
        tmp_path,
        steps=12,
        tokens=600,
        layers=1,
        width=32,
        feed_forward=32,
        report_every=4,
        probes=4,
    )


def test_training_goes_on_from_its_checkpoint_and_ships_a_loadable_model(small, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("grm_plugin.reference.making.run.measure", _stop_at_the_second_look())
        with pytest.raises(KeyboardInterrupt):
            train(small)
    report = train(small)
    assert report.steps == 12
    assert len((small.folder / "log.jsonl").read_text().splitlines()) == 3
    loaded = transformers.AutoModelForCausalLM.from_pretrained(small.folder)
    assert sum(one.numel() for one in loaded.parameters()) == report.parameters


def test_a_checkpoint_made_with_other_settings_is_refused(small):
    train(small)
    with pytest.raises(ValueError, match="made with seed=20, asked for 21"):
        train(replace(small, seed=21))


def _stop_at_the_second_look():
    looks = iter([1, 2])

    def measure_twice(*args, **options):
        if next(looks, None) is None:
            raise KeyboardInterrupt
        return measure(*args, **options)

    return measure_twice
