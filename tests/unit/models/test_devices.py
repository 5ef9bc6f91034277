"""Where models go and how much is computed at once, with the memory of GPUs that this machine need not have."""

import re
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
import torch
from accelerate import dispatch_model, init_empty_weights
from repositories import build, configure, save_tokenizer, train_tokenizer
from transformers import AutoModelForCausalLM

from overtime import InputError
from overtime.models import devices
from overtime.models import load as models
from overtime.models.answers import greedy
from overtime.models.likelihood import score_pairs


@pytest.fixture
def gpus(monkeypatch):
    """Pretend GPUs with so much free memory, in bytes."""

    def pretend(*free: int) -> None:
        monkeypatch.setattr(devices, "free_memory", lambda: dict(enumerate(free)))
        monkeypatch.setattr("accelerate.utils.modeling.get_max_memory", lambda memory: memory)  # drops GPUs that are not there

    return pretend


@pytest.fixture(params=["gpt_neox", "bloom", "llama"])
def empty(request):
    with init_empty_weights(include_buffers=False):
        model = AutoModelForCausalLM.from_config(configure(request.param, 500))
    model.tie_weights()
    return model


def weight(model) -> int:
    return 4 * sum(parameter.numel() for parameter in model.parameters())


def test_one_device_where_it_suffices(empty, gpus):
    size = weight(empty)
    gpus(size, 2 * size)
    assert devices.plan(empty, "cpu") == {"": "cpu"}
    assert devices.plan(empty, "cuda") == {"": 1}
    gpus(int(size / 0.9) + 2, 0)
    assert devices.plan(empty, "cuda") == {"": 0}


def test_a_model_is_spread_over_gpus(empty, gpus):
    room = int(0.8 * weight(empty))
    gpus(room, room, room)
    layout = devices.plan(empty, "cuda")
    held: dict[int | str, int] = {}
    for name, parameter in empty.named_parameters():
        where = devices.device_of(name, layout)
        held[where] = held.get(where, 0) + 4 * parameter.numel()
    assert len(held) > 1
    assert max(held.values()) <= 0.9 * room
    for layer in range(empty.config.num_hidden_layers):
        parts = [name for name, _ in empty.named_parameters() if re.search(rf"\.(layers|h)\.{layer}\.", name)]
        assert len({devices.device_of(part, layout) for part in parts}) == 1
    head, embedding = (
        next(name for name, module in empty.named_modules() if module is part)
        for part in (empty.get_output_embeddings(), empty.get_input_embeddings())
    )
    assert devices.device_of(head, layout) == devices.device_of(embedding, layout) or not empty.config.tie_word_embeddings


def test_what_fits_nowhere_is_said(empty, gpus):
    gpus(weight(empty) // 4, weight(empty) // 4)
    with pytest.raises(
        InputError, match=r"the weights take 0\.0 GB, but the GPUs have room for 0\.0, 0\.0 GB; ask for more GPUs"
    ):
        devices.plan(empty, "cuda")


def test_parameters_get_memory_in_their_places(empty):
    shapes = {name: value.shape for name, value in empty.named_parameters()}
    buffers = {name: buffer.clone() for name, buffer in empty.named_buffers()}
    norm = next(name for name, _ in empty.named_modules() if name.endswith(("final_layer_norm", ".ln_f", "model.norm")))
    devices.allocate(empty, {"": "cpu", norm: "meta"})
    assert {name: value.shape for name, value in empty.named_parameters()} == shapes
    assert {name for name, value in empty.named_parameters() if value.is_meta} == {n for n in shapes if n.startswith(norm)}
    tied = empty.get_output_embeddings().weight is empty.get_input_embeddings().weight
    assert tied == empty.config.tie_word_embeddings
    assert all(torch.equal(buffer, buffers[name]) for name, buffer in empty.named_buffers())


def test_scores_of_a_model_in_pieces(tmp_path):
    """Accelerate brings inputs and weights to every piece: the last layer lies on disk, the rest in memory."""
    core = train_tokenizer(())
    save_tokenizer(core, "gpt_neox", tmp_path / "model")
    model = build("gpt_neox", core.get_vocab_size(), "pieces").eval()
    model.save_pretrained(tmp_path / "model")
    whole, tokenizer = models.load(tmp_path / "model")
    pieces = {"gpt_neox.layers.2": "disk", "lm_head": "cpu"}
    pieces |= {f"gpt_neox.{name}": "cpu" for name, _ in model.gpt_neox.named_children() if name != "layers"}
    pieces |= {f"gpt_neox.layers.{layer}": "cpu" for layer in (0, 1)}
    model = dispatch_model(model, pieces, offload_dir=tmp_path / "disk")
    assert next(model.gpt_neox.layers[2].parameters()).is_meta
    pairs = pl.DataFrame({"sent_more": ["she was a good nurse", "he did"], "sent_less": ["he was a good nurse", "she did"]})
    for column in ("ll_more", "ll_less"):
        np.testing.assert_allclose(*(score_pairs(m, tokenizer, pairs)[column] for m in (model, whole)), atol=1e-4)
    assert greedy(model, tokenizer, ["what is its"], 4) == greedy(whole, tokenizer, ["what is its"], 4)


def test_tokens_follow_from_free_memory(gpus):
    gpus(8_000_000_000, 2_000_000_000, 1)
    parts = [SimpleNamespace(device=torch.device("cuda", gpu)) for gpu in (0, 1)]
    config = SimpleNamespace(hidden_size=4096, num_hidden_layers=32)
    model = SimpleNamespace(device=torch.device("cuda", 0), dtype=torch.bfloat16, config=config, parameters=lambda: parts)
    # 1 GB at (2 x 32 cached vectors + 24) x 4096 numbers x 2 bytes + 65536 bytes = 786,432 bytes a token
    assert devices.tokens_at_once(model) == 1271
    config.hidden_size, config.num_hidden_layers = 8, 1
    gpus(10**12, 10**12)
    assert devices.tokens_at_once(model) == 65536
    model.device = torch.device("cpu")
    assert devices.tokens_at_once(model) == 1024


def test_halves_keep_their_order():
    calls = []

    def double(rows: list[int]) -> list[int]:
        calls.append(len(rows))
        if len(rows) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return [2 * row for row in rows]

    results = list(devices.within_memory(double, [1, 2, 3, 4, 5]))
    assert results == [[2, 4], [6], [8, 10]]
    assert calls == [5, 2, 3, 1, 2]
    with pytest.raises(InputError, match="one sequence alone does not fit"):
        list(devices.within_memory(lambda rows: double([0] * 9), [1, 2]))


def test_settings_are_resolved(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert [devices.choose(setting) for setting in ("auto", "cpu")] == ["cpu", "cpu"]
    with pytest.raises(InputError, match="device cuda: torch finds no GPU"):
        devices.choose("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert [devices.choose(setting) for setting in ("auto", "cpu", "cuda")] == ["cuda", "cpu", "cuda"]
