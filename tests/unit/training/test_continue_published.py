"""Continuing a published checkpoint: a tiny GPT-NeoX in the layout of the Hub, packed text, several processes."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from safetensors.torch import load_file
from tiny_models import build_neox
from tokenizers import Tokenizer, decoders, pre_tokenizers, trainers
from tokenizers.models import BPE
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from overtime import InputError
from overtime.corpora.rewrite import rewrite
from overtime.models import load as models
from overtime.models.likelihood import score_pairs
from overtime.models.weights import checkpoints
from overtime.training import loop as training
from overtime.training.continue_published import continue_checkpoint, recipe
from overtime.training.packed_corpus import open_stream, pack_texts, token_type
from overtime.training.processes import launch
from overtime.training.runs import evaluate, read_log
from overtime.training.token_streams import Stream

TEXTS = ["he lost his keys and his son found them", "the nurse and the king", "who saw him", "a day in the life of a town"] * 30
OPTIONS = {
    "context": 16,
    "batch": 4,
    "micro_batch": None,
    "learning_rate": 3e-3,
    "warmup": 0.1,
    "precision": "float32",
    "checkpoints": [0.5, 1.0],
    "timings": None,
}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    """config.json, pytorch_model.bin with embed_out.weight and the masks of old files, and a byte-level BPE tokenizer."""
    folder = tmp_path_factory.mktemp("pythia")
    bpe = Tokenizer(BPE())
    bpe.pre_tokenizer, bpe.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    bpe.train_from_iterator(
        TEXTS, trainers.BpeTrainer(vocab_size=300, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet)
    )
    PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token="<|endoftext|>").save_pretrained(folder)
    model = build_neox(width=32, layers=2, heads=2, vocabulary=320, context=64, seed=0)
    model.config.save_pretrained(folder)
    weights = {name.replace("lm_head", "embed_out"): value for name, value in model.state_dict().items()}
    assert "embed_out.weight" in weights
    masks = {f"gpt_neox.layers.{i}.attention.bias": torch.ones(1, 1, 64, 64).tril().bool() for i in range(2)}
    torch.save(weights | masks, folder / "pytorch_model.bin")
    return folder


@pytest.fixture(scope="module")
def packed(checkpoint, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("streams") / "original.tokens"
    pack_texts(TEXTS, AutoTokenizer.from_pretrained(checkpoint), None, path)
    return path


def test_packing_keeps_every_token_in_order_and_splits_long_documents(checkpoint, tmp_path, monkeypatch):
    monkeypatch.setattr("overtime.training.packed_corpus.TOGETHER", 7)
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    texts = ["short", "long " * 40, "", "naïve 王"]
    expected = [token for text in texts for token in (*tokenizer(text)["input_ids"], tokenizer.eos_token_id)]
    assert pack_texts(iter(texts), tokenizer, None, tmp_path / "s") == len(expected)
    stream = open_stream(tmp_path / "s", len(tokenizer), context=8, batch=2)
    assert isinstance(stream.tokens.base, np.memmap)
    assert stream.tokens.ravel().tolist() == expected[: len(expected) // 8 * 8]
    assert pack_texts(texts, tokenizer, 20, tmp_path / "s") == 20
    assert np.fromfile(tmp_path / "s", token_type(len(tokenizer)), count=20).tolist() == expected[:20]
    assert (tmp_path / "s").stat().st_size == 20 * 2 + 32, "tokens and signature"
    assert token_type(1 << 16) == np.uint16
    assert token_type((1 << 16) + 1) == np.uint32


def test_a_corpus_that_is_too_small_is_one_error_and_no_file(checkpoint, tmp_path):
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    with pytest.raises(InputError, match=r"continued\.r\.tokens: the corpus has \d+ tokens, not 1,000; ask for fewer"):
        pack_texts(["one", "two"], tokenizer, 1000, tmp_path / "s", "config: continued.r.tokens")
    assert not list(tmp_path.iterdir())
    pack_texts(["one"], tokenizer, None, tmp_path / "s")
    with pytest.raises(InputError, match="s: 3 tokens do not fill one step of 2 x 8"):
        open_stream(tmp_path / "s", len(tokenizer), context=8, batch=2)
    tokenizer.eos_token = None
    with pytest.raises(InputError, match="no end-of-text token"):
        pack_texts(["one"], tokenizer, None, tmp_path / "s")


def test_a_published_checkpoint_learns_and_is_evaluated_like_a_run_of_the_suite(checkpoint, packed, tmp_path):
    continue_checkpoint(checkpoint, None, packed, tmp_path / "run", OPTIONS, "cpu")
    log = read_log(tmp_path / "run")
    assert log["loss"][0] > log["loss"][-1]
    assert log["step"].to_list() == [8, 17]
    assert {path.name for path in (tmp_path / "run").iterdir()} >= {"config.json", "tokenizer.json", "log.jsonl"}
    pairs = pl.DataFrame({"pair": [0], "sent_more": ["he lost his keys"], "sent_less": ["he lost him keys"]})
    model, tokenizer = models.load(tmp_path / "run")
    [table] = evaluate(model, {tmp_path / "run": {}}, lambda: score_pairs(model, tokenizer, pairs))
    assert table["step"].to_list() == log["step"].to_list()
    assert (table["ll_more"] - table["ll_less"])[1] > 0


def test_the_first_step_starts_from_the_published_weights(checkpoint, packed, tmp_path):
    """With a learning rate of next to nothing the weights stay what the file says."""
    continue_checkpoint(checkpoint, None, packed, tmp_path / "run", OPTIONS | {"learning_rate": 1e-12}, "cpu")
    published = torch.load(checkpoint / "pytorch_model.bin", weights_only=True)
    after = load_file(checkpoints(tmp_path / "run")[-1][1])
    assert torch.allclose(after["lm_head.weight"], published["embed_out.weight"], atol=1e-8)
    assert len(after) == len([name for name in published if not name.endswith("attention.bias")])


def test_the_learning_rate_rises_and_stays():
    constant = recipe(Stream(np.zeros((8, 4), np.uint16), 0, 8), OPTIONS | {"batch": 1}, "float32")
    rates = [training.schedule(progress, constant.warmup, constant.floor) for progress in (0.05, 0.1, 0.5, 1.0)]
    assert rates == [0.5, 1.0, 1.0, 1.0]
    assert constant.save_at == (4, 8)


def test_arms_see_the_same_documents_in_the_same_order(checkpoint, tmp_path, monkeypatch):
    """The same text makes the same batches; a rewritten arm has every document of the control in its place, rewritten."""
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    seen: dict[str, list[bytes]] = {}
    step = training.train_step
    for arm, mode in (("control", None), ("again", None), ("swapped", "feminize")):
        texts = [text if mode is None else rewrite(text, mode) for text in TEXTS]
        pack_texts(texts, tokenizer, 600, tmp_path / arm)
        seen[arm] = []

        def watching(model, optimizer, batch, *rest, seen=seen[arm]):
            seen.append(hashlib.sha256(batch.numpy().tobytes()).digest())
            return step(model, optimizer, batch, *rest)

        monkeypatch.setattr(training, "train_step", watching)
        continue_checkpoint(checkpoint, None, tmp_path / arm, tmp_path / f"run-{arm}", OPTIONS, "cpu")
    assert seen["control"] == seen["again"]
    assert set(seen["control"]).isdisjoint(seen["swapped"])
    decoded = [tokenizer.decode(np.fromfile(tmp_path / arm, "<u2")).split("<|endoftext|>") for arm in ("control", "swapped")]
    pairs = list(zip(*(documents[:-1] for documents in decoded)))
    assert len(pairs) > 20
    assert all(rewrite(old) == new for old, new in pairs)


KILLED = """
import os, signal, sys, torch
from overtime.training import loop as training
from overtime.training.continue_published import continue_checkpoint
torch.set_num_threads(1)
step, done = training.train_step, []
def dying(*arguments):
    done.append(1)
    if len(done) == {kill_at}:
        os.kill(os.getpid(), signal.SIGKILL)
    return step(*arguments)
training.train_step = dying
continue_checkpoint({start!r}, None, {packed!r}, {folder!r}, {options!r}, "cpu")
"""


def test_after_sigkill_it_ends_with_the_same_bits(checkpoint, packed, tmp_path):
    torch.set_num_threads(1)
    continue_checkpoint(checkpoint, None, packed, tmp_path / "whole", OPTIONS, "cpu")
    steps = [step for step, _ in checkpoints(tmp_path / "whole")]
    code = KILLED.format(
        kill_at=steps[0] + 3, start=str(checkpoint), packed=str(packed), folder=str(tmp_path / "cut"), options=OPTIONS
    )
    environment = {"PYTHONPATH": str(Path(training.__file__).parents[2]), "PATH": ""}
    killed = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert killed.returncode == -9, killed.stderr
    assert not (tmp_path / "cut").exists()
    assert (tmp_path / ".cut.partial" / f"step{steps[0]}.safetensors").exists()
    continue_checkpoint(checkpoint, None, packed, tmp_path / "cut", OPTIONS, "cpu")
    for step in steps:
        name = f"step{step}.safetensors"
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert read_log(tmp_path / "cut")["loss"].to_list() == read_log(tmp_path / "whole")["loss"].to_list()


def last_weights(run: Path) -> dict[str, torch.Tensor]:
    """Without the bias of the keys: it changes no attention; its gradient is rounding, of which AdamW makes whole steps."""
    weights = load_file(checkpoints(run)[-1][1])
    for name in weights:
        if name.endswith("query_key_value.bias"):
            weights[name] = weights[name].view(2, 3, 16)[:, ::2].contiguous()
    return weights


@pytest.mark.parametrize(("processes", "micro_batch"), [(1, 3), (2, 1)])
def test_processes_and_micro_batches_add_up_to_the_whole_batch(checkpoint, packed, tmp_path, processes, micro_batch):
    continue_checkpoint(checkpoint, None, packed, tmp_path / "one", OPTIONS, "cpu")
    options = OPTIONS | {"micro_batch": micro_batch}
    launch(continue_checkpoint, (checkpoint, None, packed, tmp_path / "split", options, "cpu"), processes)
    one, split = last_weights(tmp_path / "one"), last_weights(tmp_path / "split")
    assert all(torch.allclose(one[name], split[name], atol=1e-6) for name in one)
    losses = [read_log(tmp_path / run)["loss"].to_list() for run in ("one", "split")]
    assert losses[1] == pytest.approx(losses[0], abs=1e-4)


def test_padding_counts_nothing_however_a_batch_is_split(checkpoint):
    """Sequences with few targets weigh as little in a micro-batch as in the whole batch."""
    from accelerate import Accelerator

    model, _ = models.load(checkpoint)
    batch = torch.randint(2, 300, (4, 16), generator=torch.Generator().manual_seed(0))
    batch[0, 3:] = batch[3, 9:] = 1
    accelerator, gradients = Accelerator(cpu=True), []
    for micro_batch in (None, 1, 3):
        plan = training.Recipe(0.0, 4, "float32", (1,), micro_batch=micro_batch)
        model.zero_grad()
        for part, weight in training._parts(batch, plan, accelerator):
            (weight * training._mean_loss(model, part, plan)).backward()
        gradients.append(model.lm_head.weight.grad.clone())
    assert torch.allclose(gradients[0], gradients[1], atol=1e-7)
    assert torch.allclose(gradients[0], gradients[2], atol=1e-7)


def test_what_does_not_fit_is_named(checkpoint, packed, tmp_path):
    with pytest.raises(InputError, match="a context of 65 tokens, but the model takes 64 at most"):
        continue_checkpoint(checkpoint, None, packed, tmp_path / "run", OPTIONS | {"context": 65}, "cpu")
    config = json.loads((checkpoint / "config.json").read_text())
    small = tmp_path / "small"
    small.mkdir()
    for path in checkpoint.iterdir():
        (small / path.name).symlink_to(path)
    (small / "config.json").unlink()
    (small / "config.json").write_text(json.dumps(config | {"hidden_size": 16, "intermediate_size": 64}))
    with pytest.raises(InputError, match=r"tensor .* is .*320, 32.* but .*320, 16"):
        launch(continue_checkpoint, (small, None, packed, tmp_path / "run", OPTIONS, "cpu"), 2)
    assert not (tmp_path / "run").exists()
