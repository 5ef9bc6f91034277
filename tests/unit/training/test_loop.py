"""Training: bitwise resumable, arms branch from the baseline's state, every run sees the same batches."""

import hashlib
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from safetensors.torch import load_file

from overtime import InputError
from overtime.models.neox import Neox, NeoxConfig
from overtime.training import loop as training
from overtime.training.loop import train
from overtime.training.recipe import Recipe, save_steps, schedule
from overtime.training.runs import evaluate, read_log
from overtime.training.token_streams import Stream

RECIPE = Recipe(learning_rate=1e-2, batch=2, precision="float32", save_at=(4, 8, 12), branch_at=(8,))


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def describe(folder: Path) -> None:
    """Stands for config.json and the tokenizer."""
    (folder / "config.json").write_text("{}")


@pytest.fixture
def stream() -> Stream:
    return Stream(np.random.default_rng(0).integers(2, 20, (24, 16)).astype(np.uint16), 0, 12)


def fresh():
    return Neox(NeoxConfig(20, 16, 1, 2, 16), seed=1)


def weights(run, step) -> bytes:
    return (run / f"step{step}.safetensors").read_bytes()


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it."""


@pytest.mark.parametrize("kill_at", [3, 6, 11])
def test_an_interrupted_run_ends_with_the_same_bits(tmp_path, stream, monkeypatch, kill_at):
    train(fresh(), describe, stream, RECIPE, tmp_path / "whole")
    step, done = training.train_step, []

    def dying(*args):
        if len(done) == kill_at:
            raise Killed
        done.append(1)
        return step(*args)

    monkeypatch.setattr(training, "train_step", dying)
    with pytest.raises(Killed):
        train(fresh(), describe, stream, RECIPE, tmp_path / "cut")
    assert not (tmp_path / "cut").exists()
    monkeypatch.setattr(training, "train_step", step)
    train(fresh(), describe, stream, RECIPE, tmp_path / "cut")
    for saved in RECIPE.save_at:
        assert weights(tmp_path / "cut", saved) == weights(tmp_path / "whole", saved)
    assert read_log(tmp_path / "cut")["step"].to_list() == [4, 8, 12]


@pytest.mark.parametrize("file", ["step8.safetensors", "step8.optimizer.pt", "log.jsonl", "resume.pt"])
def test_a_run_killed_while_it_saves_can_be_continued_and_branched_from(tmp_path, stream, monkeypatch, file):
    replace = Path.replace

    def dying(self, target):
        if target.name == file and (file.startswith("step8") or (target.parent / "step8.safetensors").exists()):
            raise Killed
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", dying)
    with pytest.raises(Killed):
        train(fresh(), describe, stream, RECIPE, tmp_path / "base")
    monkeypatch.undo()
    train(fresh(), describe, stream, RECIPE, tmp_path / "base")
    tail = Stream(stream.tokens[16:], first_step=8, baseline_steps=12)
    train(fresh(), describe, tail, RECIPE, tmp_path / "arm", start=tmp_path / "base")
    assert weights(tmp_path / "arm", 12) == weights(tmp_path / "base", 12)
    assert read_log(tmp_path / "base")["step"].to_list() == [4, 8, 12]


def test_a_checkpoint_that_changed_or_is_gone_is_not_evaluated(tmp_path, stream):
    run = tmp_path / "run"
    train(fresh(), describe, stream, RECIPE, run)
    path = run / "step8.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(InputError, match=r"step8\.safetensors: damaged, .+; delete .+run and run again"):
        evaluate(fresh(), {run: {}}, pl.DataFrame)
    path.unlink()
    with pytest.raises(InputError, match=r"step8\.safetensors: missing; delete .+run and run again"):
        evaluate(fresh(), {run: {}}, pl.DataFrame)


def test_an_arm_with_the_baselines_own_text_repeats_the_baseline(tmp_path, stream):
    """Weights, optimizer state and learning rate all continue: the same tail gives the same final bits."""
    train(fresh(), describe, stream, RECIPE, tmp_path / "base")
    tail = Stream(stream.tokens[16:], first_step=8, baseline_steps=12)
    train(fresh(), describe, tail, RECIPE, tmp_path / "same", start=tmp_path / "base")
    assert weights(tmp_path / "same", 12) == weights(tmp_path / "base", 12)
    other = Stream(stream.tokens[16:] ^ np.uint16(1), first_step=8, baseline_steps=12)
    train(fresh(), describe, other, RECIPE, tmp_path / "other", start=tmp_path / "base")
    assert weights(tmp_path / "other", 12) != weights(tmp_path / "base", 12)


def test_every_model_sees_the_same_batches_in_the_same_order(tmp_path, stream, monkeypatch):
    seen, step = [], training.train_step

    def watching(model, optimizer, batch, *rest):
        seen[-1].update(batch.numpy().tobytes())
        return step(model, optimizer, batch, *rest)

    monkeypatch.setattr(training, "train_step", watching)
    for seed, width in ((0, 16), (1, 32)):
        seen.append(hashlib.sha256())
        model = Neox(NeoxConfig(20, width, 1, 2, 16), seed=seed)
        train(model, describe, stream, RECIPE, tmp_path / f"run{seed}")
    assert seen[0].hexdigest() == seen[1].hexdigest()


def test_training_lowers_the_loss_of_a_learnable_stream(tmp_path):
    rising = (np.arange(16)[None] + np.arange(240)[:, None]) % 18 + 2  # the next token is the last one plus one
    train(fresh(), describe, Stream(rising.astype(np.uint16), 0, 120), Recipe(1e-2, 2, "float32", (10, 120)), tmp_path / "run")
    losses = read_log(tmp_path / "run")["loss"]
    assert losses[0] > 2 > 1 > losses[-1]


def test_a_loss_that_is_not_finite_stops_the_run_at_its_step(tmp_path, stream, monkeypatch):
    """The sixth step's loss is NaN: the run ends before it is saved, and its last checkpoint stays as it was."""
    step, done = training.train_step, []

    def spoilt(*args):
        done.append(step(*args))
        return done[-1] * float("nan") if len(done) == 6 else done[-1]

    monkeypatch.setattr(training, "train_step", spoilt)
    with pytest.raises(InputError, match=r"\.run\.partial: the loss of step 6 is nan; use a smaller learning rate"):
        train(fresh(), describe, stream, RECIPE, tmp_path / "run")
    assert not (tmp_path / "run").exists()
    assert read_log(tmp_path / ".run.partial")["step"].to_list() == [4]
    monkeypatch.undo()
    train(fresh(), describe, stream, RECIPE, tmp_path / "run")
    assert read_log(tmp_path / "run")["step"].to_list() == [4, 8, 12]


def test_a_run_that_diverges_does_not_end_normally(tmp_path, stream):
    with pytest.raises(InputError, match=r"the loss of step \d+ is (nan|inf)"):
        train(fresh(), describe, stream, replace(RECIPE, learning_rate=1e30), tmp_path / "run")
    # The last update of all is seen in no loss, but in the weights.
    only = replace(RECIPE, learning_rate=1e39, save_at=(1,), branch_at=(), floor=1.0)
    with pytest.raises(InputError, match=r"step1\.safetensors: tensor gpt_neox\.\S+ has become NaN or infinite"):
        train(fresh(), describe, Stream(stream.tokens[:2], 0, 1), only, tmp_path / "short")
    assert not (tmp_path / "run").exists()
    assert not (tmp_path / "short").exists()


def test_what_a_checkpoint_cannot_be_measured_by_is_named_with_its_file(tmp_path, stream):
    run = tmp_path / "run"
    train(fresh(), describe, stream, RECIPE, run)
    numbers = iter([0.5, float("nan")])
    with pytest.raises(InputError, match=r"run/step8\.safetensors: column score, row 1: nan"):
        evaluate(fresh(), {run: {}}, lambda: pl.DataFrame({"score": [next(numbers)]}))

    def refuse():
        raise InputError("pair 3: log-likelihood of sent_more is nan")

    with pytest.raises(InputError, match=r"run/step4\.safetensors: pair 3: log-likelihood"):
        evaluate(fresh(), {run: {}}, refuse)


def test_branching_without_optimizer_state_says_what_is_missing(tmp_path, stream):
    train(fresh(), describe, stream, RECIPE, tmp_path / "base")
    tail = Stream(stream.tokens[8:], first_step=4, baseline_steps=12)
    with pytest.raises(InputError, match="no optimizer state at step 4"):
        train(fresh(), describe, tail, RECIPE, tmp_path / "arm", start=tmp_path / "base")


def test_schedule_and_steps_by_hand(stream):
    assert schedule(0.025) == pytest.approx(0.5)
    assert schedule(0.05) == pytest.approx(1.0)
    assert schedule(0.525) == pytest.approx(0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi / 2)))
    assert schedule(1.0) == pytest.approx(0.1)
    assert save_steps(stream, 2, [0.25, 0.5, 1.0]) == {0.25: 3, 0.5: 6, 1.0: 12}
    longer = Stream(np.zeros((32, 16), np.uint16), first_step=6, baseline_steps=12)  # 16 steps instead of 6
    assert save_steps(longer, 2, [0.25, 0.5, 0.75, 1.0]) == {0.75: 14, 1.0: 22}


def test_evaluate_walks_the_checkpoints_with_their_own_weights(tmp_path, stream):
    train(fresh(), describe, stream, RECIPE, tmp_path / "run")

    model = fresh()

    def norm():
        return pl.DataFrame({"norm": [float(model.gpt_neox.embed_in.weight.detach().norm())]})

    [table] = evaluate(model, {tmp_path / "run": {"arm": "swap7", "seed": "0"}}, norm)
    assert table.columns[:2] == ["arm", "seed"]
    expected = [float(load_file(tmp_path / f"run/step{s}.safetensors")["gpt_neox.embed_in.weight"].norm()) for s in (4, 8, 12)]
    assert table["norm"].to_list() == pytest.approx(expected)
    assert table["percent"].to_list() == pytest.approx([100 / 3, 200 / 3, 100])
    assert table["tokens"].to_list() == [4 * 32, 8 * 32, 12 * 32]
