"""The tuned lens: fitting, files of its own and of the published layout, and its text."""

import hashlib
import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import tiny_models
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from overtime import InputError
from overtime.attacks.few_shot_prompts import few_shot_prompts, load_task
from overtime.attacks.read_prompts import read_prompts
from overtime.models.lens import read_layers
from overtime.models.lens_owner import fingerprint
from overtime.models.residual_stream import Site, residual_stream
from overtime.models.tuned_lens import Translators, load_translators
from overtime.models.tuned_lens_fit import divergence, file_text, fit, lens_texts, offline_text

MIRROR = Path(os.environ.get("OVERTIME_MIRROR", Path(__file__).parents[4] / "shared" / "mirror"))
TASK = load_task("sentiment")
LABELS = list(TASK.labels)
PROMPTS = few_shot_prompts(TASK, ["true", "injection"], prompts=2, demonstrations=4, seed=1)


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return tiny_models.words([*(prompt.text for prompt in PROMPTS), *LABELS, "plain words"])


@pytest.fixture(scope="module")
def build(tokenizer: PreTrainedTokenizerFast) -> Callable[..., PreTrainedModel]:
    return partial(tiny_models.build, tokenizer=tokenizer)


@pytest.fixture(scope="module")
def plain_text(tokenizer: PreTrainedTokenizerFast) -> list[str]:
    words = sorted(tokenizer.get_vocab())
    random = np.random.default_rng(0)
    return [" ".join(random.choice(words, 40)) for _ in range(120)]


def test_translators_come_closer_to_the_final_output(
    build: Callable, tokenizer: PreTrainedTokenizerFast, plain_text: list[str]
) -> None:
    model = build("gpt_neox")
    squares, evaluation = fit(model, tokenizer, plain_text, tokens=4000)
    kl = evaluation.pivot("lens", index="layer", values="kl")
    assert (kl["tuned"][:-1] < 0.5 * kl["logit"][:-1]).all()
    assert kl["tuned"][-1] == pytest.approx(0, abs=1e-6)
    ids = tokenizer(plain_text[0])["input_ids"]
    (_, stream), *_ = residual_stream(model, [ids], [Site(0, position) for position in range(4, len(ids))])
    missed, variation = ((read - stream[:, -1:]).var(dim=0).mean(-1) for read in (squares(stream), stream))
    assert (missed[:-1] < 0.7 * variation[:-1]).all()
    _, trained = fit(model, tokenizer, plain_text, tokens=4000, steps=250)
    better = trained.filter(pl.col("lens") == "tuned")["kl"][:-1] < kl["tuned"][:-1]
    assert better.all()
    assert all(parameter.grad is None for parameter in model.parameters())
    elsewhere = divergence(model, tokenizer, [" ".join(sorted(tokenizer.get_vocab()))] * 40, squares)
    assert elsewhere.columns == evaluation.columns
    other = elsewhere.pivot("lens", index="layer", values="kl")
    assert (other["tuned"][:-1] < 0.5 * other["logit"][:-1]).all()
    assert other["tuned"][-1] == pytest.approx(0, abs=1e-6)
    tuned = read_prompts(model, tokenizer, PROMPTS, LABELS, squares)
    assert set(tuned["lens"]) == {"logit", "tuned"}
    final = tuned.filter(pl.col("layer") == 3).partition_by("lens")
    np.testing.assert_array_equal(final[0]["logit"], final[1]["logit"])
    with pytest.raises(InputError, match="at least 256 are needed"):
        fit(model, tokenizer, plain_text[:2], tokens=4000)


def test_translators_travel_and_know_their_model(build: Callable, tokenizer: PreTrainedTokenizerFast, tmp_path) -> None:
    model, other = build("llama"), build("llama", seed=1)
    generator = torch.Generator().manual_seed(0)
    weight, bias = torch.randn(3, 32, 32, generator=generator), torch.randn(3, 32, generator=generator)
    Translators(weight, bias, fingerprint(model)).save(tmp_path / "lens.safetensors")
    loaded = load_translators(tmp_path / "lens.safetensors", model.to(torch.bfloat16))
    assert torch.equal(loaded.weight, weight)
    model = build("llama")
    for refused in (other, build("gpt2"), build("gpt_neo")):
        with pytest.raises(InputError, match=r"lens.safetensors: (fitted to another model|weights are)"):
            load_translators(tmp_path / "lens.safetensors", refused)
    with pytest.raises(InputError, match="translators: fitted to another model"):
        read_layers(other, tokenizer, ["plain words"], LABELS, loaded)
    (tmp_path / "broken.safetensors").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"broken.safetensors: not readable"):
        load_translators(tmp_path / "broken.safetensors", model)


@pytest.mark.parametrize("kind", tiny_models.ARCHITECTURES)
def test_the_tuned_lens_is_that_of_its_definition(kind: str, build: Callable, tokenizer: PreTrainedTokenizerFast) -> None:
    """Translated streams go through the parts of the model under their names; the last layer is the model's own output."""
    model, ids = build(kind), torch.tensor([tokenizer(PROMPTS[0].text)["input_ids"]])
    with torch.no_grad():
        output = model(ids, output_hidden_states=True)
    inner = torch.stack([hidden[0, -1] for hidden in output.hidden_states[:-1]])
    generator = torch.Generator().manual_seed(0)
    weight, bias = (0.3 * torch.randn(len(inner), 32, *more, generator=generator) for more in ((32,), ()))
    moved = torch.stack([x + w @ x + b for x, w, b in zip(inner, weight, bias)])
    expected = torch.cat([tiny_models.read_out(kind, model, moved), output.logits[0, -1:]])
    lens = Translators(weight, bias, fingerprint(model))
    found = read_layers(model, tokenizer, [PROMPTS[0].text], LABELS, lens)["logit"].to_numpy().reshape(-1, 2)
    np.testing.assert_allclose(found, expected[:, tokenizer.convert_tokens_to_ids(LABELS)], atol=1e-4)


def test_published_layout_is_read(build: Callable, tmp_path) -> None:
    model, other = build("gpt_neox"), build("gpt_neox", seed=1)
    state = {
        f"{layer}.{name}": torch.full((32, 32)[: 2 - (name == "bias")], layer + 0.5)
        for layer in range(3)
        for name in ("weight", "bias")
    }
    torch.save(state, tmp_path / "params.pt")
    printed = np.array_str(model.get_output_embeddings().weight.detach().numpy(), precision=1)
    config = {"d_model": 32, "num_hidden_layers": 3, "unembed_hash": hashlib.sha256(printed.encode()).hexdigest()}
    (tmp_path / "config.json").write_text(json.dumps(config))
    loaded = load_translators(tmp_path, model)
    assert loaded.weight[:, 0, 0].tolist() == loaded.bias[:, 0].tolist() == [0.5, 1.5, 2.5]
    with pytest.raises(InputError, match="another model"):
        load_translators(tmp_path, other)


def test_text_is_at_hand_offline(tmp_path) -> None:
    texts = offline_text()
    assert sum(len(text.split()) for text in texts) > 5000
    assert all(len(text.split()) >= 12 for text in texts)
    with pytest.raises(InputError, match="package no-such-package"):
        offline_text(("no-such-package",))
    sentence = "The quick brown fox jumps over the lazy dog and runs far away from here ."
    (tmp_path / "text.txt").write_text(f" = A heading = \n{sentence}\nx = 1\n")
    assert file_text(tmp_path / "text.txt") == [sentence]
    assert list(lens_texts(tmp_path / "nothing")) == ["packages"]
    assert lens_texts(tmp_path, "wikitext-2")["wikitext-2"] == [sentence]
    with pytest.raises(InputError, match="nothing: wikitext-2 could not be had, and no other text will do"):
        lens_texts(tmp_path / "nothing", "wikitext-2")
    with pytest.raises(InputError, match=r"absent.txt: not a readable text file"):
        file_text(tmp_path / "absent.txt")


def test_released_wikitext_is_enough_text() -> None:
    folder = next(MIRROR.glob("raw.githubusercontent.com/pytorch/examples/*/word_language_model/data/wikitext-2"), None)
    if folder is None:
        pytest.skip(f"no WikiText-2 under {MIRROR}")
    assert sum(len(line.split()) for line in lens_texts(folder)["wikitext-2"]) > 300_000
