"""Files are whole or absent; a step's errors are one line."""

import hashlib
import logging
from types import SimpleNamespace

import polars as pl
import pytest

from overtime import InputError
from overtime.files import atomic, read_run, read_table, sha256, write_table
from overtime.step import step


def test_a_failure_leaves_the_old_file_and_nothing_half_written(tmp_path):
    path = tmp_path / "deep" / "table.parquet"
    write_table(pl.DataFrame({"x": [1]}), path)
    with pytest.raises(RuntimeError), atomic(path) as temporary:
        temporary.write_bytes(b"half")
        raise RuntimeError
    assert read_table(path)["x"].to_list() == [1]
    assert [p.name for p in path.parent.iterdir()] == ["table.parquet"]


def test_a_folder_replaces_a_folder_only_when_it_is_whole(tmp_path):
    folder = tmp_path / "run"
    for name in ("one", "two"):
        with atomic(folder) as temporary:
            temporary.mkdir()
            (temporary / name).touch()
    assert [p.name for p in folder.iterdir()] == ["two"]
    with pytest.raises(KeyboardInterrupt), atomic(folder) as temporary:
        temporary.mkdir()
        raise KeyboardInterrupt
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_a_broken_or_incomplete_table_is_named(tmp_path):
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 cut")
    with pytest.raises(InputError, match=r"broken\.parquet: not a readable Parquet table"):
        read_table(tmp_path / "broken.parquet")
    with pytest.raises(InputError, match=r"absent\.parquet: not a readable"):
        read_table(tmp_path / "absent.parquet")
    write_table(pl.DataFrame({"x": [1]}), tmp_path / "t.parquet")
    with pytest.raises(InputError, match=r"t\.parquet: no column y; it has x"):
        read_table(tmp_path / "t.parquet", ["x", "y"])


def test_a_score_table_takes_its_identity_from_its_path(tmp_path):
    path = tmp_path / "scores/pairs/pythia-1.4b/swap14/seed2.parquet"
    write_table(pl.DataFrame({"pair": [7]}), path)
    assert read_run(path).row(0, named=True) == {"pair": 7, "model": "pythia-1.4b", "arm": "swap14", "seed": "2"}
    write_table(pl.DataFrame({"pair": [7]}), tmp_path / "pairs.parquet")
    with pytest.raises(InputError, match="must lie at"):
        read_run(tmp_path / "pairs.parquet")


def test_sha256_is_that_of_the_bytes(tmp_path):
    (tmp_path / "f").write_bytes(b"abc" * 100_000)
    assert sha256(tmp_path / "f") == hashlib.sha256(b"abc" * 100_000).hexdigest()


def job(tmp_path) -> SimpleNamespace:
    return SimpleNamespace(rule="count_documents", wildcards=["m", "0"], log=[str(tmp_path / "log")], output=["out"], threads=1)


def test_a_user_error_is_one_line_on_the_terminal_and_a_traceback_in_the_log(tmp_path, capsys):
    with pytest.raises(SystemExit) as stop, step(job(tmp_path)):
        raise InputError("pairs.csv: row 3 has no sent_less")
    assert stop.value.code == 1
    assert capsys.readouterr().err.strip() == "[count_documents m 0] error: pairs.csv: row 3 has no sent_less"
    assert "Traceback" in (tmp_path / "log").read_text()


def test_messages_go_to_terminal_and_log(tmp_path, capsys):
    with step(job(tmp_path)):
        logging.getLogger("overtime.train").info("step 5 of 10")
    assert "[count_documents m 0] step 5 of 10" in capsys.readouterr().err
    assert "step 5 of 10" in (tmp_path / "log").read_text()
