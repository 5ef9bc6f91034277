"""Hashes that stay with files: every bit of a sealed or signed file counts, whatever it is, and sha256sum agrees."""

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from overtime import InputError
from overtime.checksums import SIGNATURE, check_seal, check_signature, seal, sign
from overtime.files import atomic, read_table, write_table
from overtime.pipeline.step import step


def flip(path: Path, place: int, bit: int = 0) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1 << bit
    path.write_bytes(content)


@given(st.binary(max_size=200), st.data())
def test_every_bit_of_a_signed_file_counts(tmp_path_factory, content, data):
    path = tmp_path_factory.mktemp("signed") / "file"
    path.write_bytes(content)
    sign(path)
    assert check_signature(path) == len(content) == path.stat().st_size - SIGNATURE
    flip(path, data.draw(st.integers(0, len(content) + SIGNATURE - 1)), data.draw(st.integers(0, 7)))
    with pytest.raises(InputError, match=r"damaged, .+; delete .+file and run again"):
        check_signature(path)


def test_an_absent_cut_or_lengthened_file_is_not_what_was_signed(tmp_path):
    path = tmp_path / "file"
    with pytest.raises(InputError, match="cannot be read"):
        check_signature(path)
    path.write_bytes(b"x" * 100)
    sign(path)
    signed = path.read_bytes()
    for other in (b"", signed[:10], signed[:-1], signed + b"\n", signed[1:]):
        path.write_bytes(other)
        with pytest.raises(InputError, match="damaged"):
            check_signature(path)


@pytest.fixture
def folder(tmp_path) -> Path:
    folder = tmp_path / "model"
    (folder / "inner").mkdir(parents=True)
    (folder / "config.json").write_text('{"heads": 2}')
    (folder / "inner/a name.bin").write_bytes(bytes(100))
    seal(folder)
    return folder


def test_every_file_of_a_sealed_folder_counts(folder):
    check_seal(folder)
    done = subprocess.run(["sha256sum", "--check", ".sha256/model"], cwd=folder.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    flip(folder / "inner/a name.bin", 50)
    with pytest.raises(InputError, match=r"inner/a name\.bin: damaged, its SHA-256 is .+; delete .+/model and run again"):
        check_seal(folder)
    (folder / "inner/a name.bin").unlink()
    with pytest.raises(InputError, match=r"inner/a name\.bin: missing; delete .+/model and run again"):
        check_seal(folder)


def test_what_is_no_output_of_a_step_is_not_looked_at(tmp_path):
    (tmp_path / "own.csv").write_text("a")
    for path in (tmp_path / "own.csv", tmp_path, tmp_path / "absent", ".", ".."):
        check_seal(path)


def job(folder: Path, inputs: list[Path], outputs: list[Path]) -> SimpleNamespace:
    files = {"log": [str(folder / "log")], "input": list(map(str, inputs)), "output": list(map(str, outputs))}
    return SimpleNamespace(rule="tabulate", wildcards=[], threads=1, **files)


def test_a_step_refuses_what_an_earlier_step_did_not_write(tmp_path, capsys):
    """Parquet has no hash of its own: a flipped bit of a number is another number."""
    scores = tmp_path / "scores.parquet"
    table = pl.DataFrame({"score": np.random.default_rng(0).random(1000)})
    with step(job(tmp_path, [], [scores])):
        write_table(table, scores)
    with step(job(tmp_path, [scores], [tmp_path / "figure"])):
        assert read_table(scores).equals(table)
    flip(scores, 4000)
    assert not read_table(scores).equals(table), "nothing else notices"
    capsys.readouterr()
    with pytest.raises(SystemExit), step(job(tmp_path, [scores], [tmp_path / "figure"])):
        raise AssertionError("the step must not begin")
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert f"error: {scores}: damaged" in said[0]


def test_files_are_on_the_disk_before_they_get_their_names(tmp_path, monkeypatch):
    calls = []
    sync, replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (calls.append(os.readlink(f"/proc/self/fd/{handle}")), sync(handle)))
    monkeypatch.setattr(Path, "replace", lambda self, target: (calls.append("rename"), replace(self, target))[1])
    with atomic(tmp_path / "folder") as temporary:
        (temporary / "inner").mkdir(parents=True)
        (temporary / "inner/file").write_text("a")
    assert calls == [str(temporary / "inner/file"), str(temporary / "inner"), str(temporary), "rename", str(tmp_path)]
