"""Whose a lens is: the same weights in whatever type they were loaded, and no other weights, however close."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tiny_models
import torch
from safetensors.torch import load_file, save_file
from transformers import PreTrainedModel

from overtime import InputError
from overtime.models import tuned_lens_fit
from overtime.models.lens_owner import fingerprint, published_hashes, same_weights
from overtime.models.tuned_lens import Translators, load_translators
from overtime.models.tuned_lens_fit import fit

TYPES = (torch.float32, torch.float16, torch.bfloat16)
TEXT = [" ".join(np.random.default_rng(line).choice(["plain", "words", "of", "text", "and", "more"], 40)) for line in range(60)]
TOKENIZER = tiny_models.words([*TEXT, " ".join(f"w{number}" for number in range(40))])


def build(seed: int = 0, dtype: torch.dtype = torch.float32) -> PreTrainedModel:
    return tiny_models.build("gpt_neox", TOKENIZER, seed).to(dtype)


def lens_of(model: PreTrainedModel) -> Translators:
    return Translators(torch.zeros(3, 32, 32), torch.zeros(3, 32), fingerprint(model))


@pytest.mark.parametrize("fitted", TYPES)
@pytest.mark.parametrize("used", TYPES)
def test_a_lens_serves_its_model_in_every_type(fitted, used, tmp_path):
    lens_of(build(dtype=fitted)).save(tmp_path / "lens.safetensors")
    load_translators(tmp_path / "lens.safetensors", build(dtype=used))
    with pytest.raises(InputError, match=r"lens.safetensors: fitted to another model"):
        load_translators(tmp_path / "lens.safetensors", build(1, used))


def stepped(model: PreTrainedModel) -> None:
    """One step of Adam moves every weight by the learning rate."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
    ids = torch.tensor([TOKENIZER(TEXT[0])["input_ids"]])
    model(ids, labels=ids).loss.backward()
    optimizer.step()


def other_blocks(model: PreTrainedModel) -> None:
    """As after training with frozen embeddings: the unembedding is the same."""
    with torch.no_grad():
        model.gpt_neox.layers[1].mlp.dense_h_to_4h.weight.mul_(1.05)


@pytest.mark.parametrize("change", [stepped, other_blocks])
@pytest.mark.parametrize("dtype", TYPES)
def test_a_lens_is_refused_by_another_checkpoint_of_one_training(change: Callable, dtype):
    lens, model = lens_of(build()), build()
    change(model)
    with pytest.raises(InputError, match="translators: fitted to another model"):
        lens.check(model.to(dtype))


def test_what_was_never_a_weight_fits_none():
    sample = fingerprint(build())
    assert same_weights(sample, sample)
    assert not same_weights(sample, sample[:-1])
    assert not same_weights(sample, torch.full_like(sample, float("nan")))


def printed_hash(weight: torch.Tensor) -> str:
    """As github AlignmentResearch/tuned-lens has it."""
    return hashlib.sha256(np.array_str(weight.float().numpy(), precision=1).encode()).hexdigest()


@pytest.mark.parametrize("shape", [(200, 64), (7, 300), (1001, 6), (20, 20)])
@pytest.mark.parametrize("spread", [0.02, 0.3])
def test_published_hashes_are_found_across_types(shape, spread):
    """A half type loses digits that the hash of float32 is of; a matrix printed whole is only known in the types themselves."""
    weight = spread * torch.randn(shape, generator=torch.Generator().manual_seed(0))
    other = spread * torch.randn(shape, generator=torch.Generator().manual_seed(1))
    for theirs in TYPES:
        for ours in TYPES if weight.numel() > 1000 else (torch.float32, theirs):
            if (theirs, ours) != (torch.bfloat16, torch.float16):  # rounded twice
                assert printed_hash(weight.to(theirs)) in published_hashes(weight.to(ours)), (theirs, ours)
                assert printed_hash(other.to(theirs)) not in published_hashes(weight.to(ours))


def published(folder: Path, **config: object) -> Path:
    tensors = {f"{layer}.weight": torch.zeros(32, 32) for layer in range(3)} | {f"{i}.bias": torch.zeros(32) for i in range(3)}
    torch.save(tensors, folder / "params.pt")
    (folder / "config.json").write_text(json.dumps({"d_model": 32, "num_hidden_layers": 3} | config))
    return folder


def test_a_published_lens_without_a_hash_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"no unembed_hash in config.json; these may be any model's translators"):
        load_translators(published(tmp_path), build())
    folder = published(tmp_path, unembed_hash=printed_hash(build().get_output_embeddings().weight.detach()))
    for dtype in TYPES:
        load_translators(folder, build(dtype=dtype))
        with pytest.raises(InputError, match="another model"):
            load_translators(folder, build(1, dtype))


def test_a_file_of_an_older_version_says_so(tmp_path):
    save_file({"weight": torch.zeros(3, 32, 32), "bias": torch.zeros(3, 32)}, tmp_path / "lens.safetensors", {"unembedding": "a"})
    with pytest.raises(InputError, match=r"lens.safetensors: does not say whose translators they are"):
        load_translators(tmp_path / "lens.safetensors", build())


def test_translators_that_are_not_finite_are_neither_saved_nor_used(tmp_path):
    lens = lens_of(build())
    lens.save(tmp_path / "lens.safetensors")
    lens.weight[1, 2, 3] = float("nan")
    with pytest.raises(InputError, match=r"new.safetensors: the translator of layer 1 holds NaN"):
        lens.save(tmp_path / "new.safetensors")
    assert [path.name for path in tmp_path.iterdir()] == ["lens.safetensors"]
    tensors = load_file(tmp_path / "lens.safetensors")
    tensors["bias"][2, 0] = float("inf")
    save_file(tensors, tmp_path / "lens.safetensors")
    with pytest.raises(InputError, match=r"lens.safetensors: the translator of layer 2 holds NaN"):
        load_translators(tmp_path / "lens.safetensors", build())


def test_a_fit_that_diverges_stops_with_its_layer(monkeypatch):
    monkeypatch.setattr(tuned_lens_fit, "RATE", 1e30)
    with pytest.raises(InputError, match="tuned lens: the translator of layer 0 holds NaN or infinity"):
        fit(build(), TOKENIZER, TEXT, 1024, steps=3)


def test_a_layer_that_never_changes_cannot_be_translated():
    model = build()
    with torch.no_grad():
        model.gpt_neox.embed_in.weight.zero_()
    with pytest.raises(InputError, match="tuned lens: layer 0 is the same at all"):
        fit(model, TOKENIZER, TEXT, 1024)
