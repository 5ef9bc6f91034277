"""Flipped bits, cut files, other recipes: training notices each, and ends with the bits of an undisturbed run or not at all."""

import logging
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from overtime import InputError
from overtime.models.neox import Neox, NeoxConfig
from overtime.training import loop as training
from overtime.training.loop import train
from overtime.training.packed_corpus import open_stream
from overtime.training.recipe import Recipe
from overtime.training.token_streams import Stream

RECIPE = Recipe(learning_rate=1e-2, batch=2, precision="float32", save_at=(4, 8, 12), branch_at=(8,))
STREAM = Stream(np.random.default_rng(0).integers(2, 20, (24, 16)).astype(np.uint16), 0, 12)
SHARES = [0.0, 0.02, 0.3, 0.5, 0.77, 0.97, 1.0]  # places in a file: its header, its data, its end
LEFT = ["resume.pt", "step4.safetensors", "step8.safetensors", "step8.optimizer.pt"]


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it."""


def model() -> Neox:
    return Neox(NeoxConfig(20, 16, 1, 2, 16), seed=1)


def describe(folder: Path) -> None:
    """Stands for config.json and the tokenizer."""
    (folder / "config.json").write_text("{}")


def flip(path: Path, share: float, bit: int = 0) -> None:
    content = bytearray(path.read_bytes())
    content[min(int(len(content) * share), len(content) - 1)] ^= 1 << bit
    path.write_bytes(content)


def final_weights(run: Path) -> bytes:
    return (run / "step12.safetensors").read_bytes()


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("whole") / "run"
    train(model(), describe, STREAM, RECIPE, folder)
    return folder


@pytest.fixture(scope="module")
def cut(tmp_path_factory) -> Path:
    """What a run leaves that is killed after step 10."""
    folder, step, done = tmp_path_factory.mktemp("cut") / "run", training.train_step, []

    def dying(*args):
        done.append(1)
        if len(done) > 10:
            raise Killed
        return step(*args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "train_step", dying)
        with pytest.raises(Killed):
            train(model(), describe, STREAM, RECIPE, folder)
    return folder.with_name(".run.partial")


@pytest.fixture
def partial(cut, tmp_path) -> Path:
    return shutil.copytree(cut, tmp_path / ".run.partial")


def go_on(partial: Path, caplog, recipe: Recipe = RECIPE) -> tuple[Path, str]:
    with caplog.at_level(logging.INFO, "overtime"):
        train(model(), describe, STREAM, recipe, partial.with_name("run"))
    return partial.with_name("run"), caplog.text


def test_an_undamaged_run_goes_on(partial, whole, caplog):
    run, said = go_on(partial, caplog)
    assert final_weights(run) == final_weights(whole)
    assert "continuing after step 8" in said


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("file", LEFT)
def test_a_flipped_bit_of_an_interrupted_run_begins_it_again(partial, whole, caplog, file, share):
    flip(partial / file, share)
    run, said = go_on(partial, caplog)
    assert final_weights(run) == final_weights(whole)
    assert f"{partial / file}: " in said
    assert "training begins again" in said
    assert "continuing" not in said


@pytest.mark.parametrize("file", ["log.jsonl", "config.json"])
def test_what_describes_an_interrupted_run_is_written_anew(partial, whole, caplog, file):
    flip(partial / file, 0.5)
    run, _ = go_on(partial, caplog)
    assert final_weights(run) == final_weights(whole)
    lines = [(folder / file).read_text().splitlines() for folder in (run, whole)]
    assert len(lines[0]) == len(lines[1])
    for line, expected in zip(*lines):
        assert line.partition("tokens_per_second")[0] == expected.partition("tokens_per_second")[0]


@pytest.mark.parametrize("left", [b"", b"PK", b"x" * 1000])
@pytest.mark.parametrize("file", LEFT)
def test_a_cut_file_of_an_interrupted_run_begins_it_again(partial, whole, caplog, file, left):
    (partial / file).write_bytes(left)
    run, said = go_on(partial, caplog)
    assert final_weights(run) == final_weights(whole)
    assert "training begins again" in said


def test_another_recipe_begins_again_and_says_so(partial, whole, caplog):
    other = Recipe(learning_rate=2e-2, batch=2, precision="float32", save_at=(12,))
    run, said = go_on(partial, caplog, other)
    assert "interrupted with another text, recipe or beginning: training begins again" in said
    assert not (run / "step8.safetensors").exists()
    assert final_weights(run) != final_weights(whole)


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("file", ["step8.safetensors", "step8.optimizer.pt"])
def test_an_arm_does_not_branch_from_a_damaged_baseline(whole, tmp_path, file, share):
    base = shutil.copytree(whole, tmp_path / "base")
    tail = Stream(STREAM.tokens[16:], first_step=8, baseline_steps=12)
    flip(base / file, share, bit=3)
    with pytest.raises(InputError, match=rf"base/{file}: damaged, .+; delete .+/base and run again"):
        train(model(), describe, tail, RECIPE, tmp_path / "arm", start=base)
    assert not (tmp_path / "arm").exists()


def test_every_bit_of_a_token_stream_counts(tmp_path):
    """Its shape is text in a header, where a bit makes `(24, 16)` to `(24, 14)`."""
    path = tmp_path / "stream.npz"
    small = Stream(np.arange(8, dtype=np.uint16).reshape(2, 4), 0, 2)
    small.save(path)
    content = path.read_bytes()
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 2]) + content[place + 1 :])
        with pytest.raises(InputError, match=r"stream\.npz: damaged, .+; delete .+ and run again"):
            Stream.load(path)
    path.write_bytes(content)
    assert (Stream.load(path).tokens == small.tokens).all()


@pytest.mark.parametrize("share", SHARES)
def test_every_bit_of_packed_tokens_counts(tmp_path, share):
    from overtime.checksums import sign

    path = tmp_path / "original.tokens"
    np.arange(64, dtype="<u2").tofile(path)
    sign(path)
    assert open_stream(path, 1000, 8, 2).tokens.shape == (8, 8)
    flip(path, share)
    with pytest.raises(InputError, match=r"original\.tokens: damaged"):
        open_stream(path, 1000, 8, 2)
