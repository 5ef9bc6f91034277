"""Files are whole or absent; a step's errors are one line; one run at a time."""

import hashlib
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

import overtime
from overtime import InputError, without_secrets
from overtime.corpora.entity_map import EntityMap
from overtime.corpora.text_files import read_text
from overtime.files import atomic, read_table, scratch, sha256, write_table
from overtime.pipeline.obstacles import obstacle
from overtime.pipeline.preflight import check_dates, lock
from overtime.pipeline.step import step
from overtime.tables import read_scores


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


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path):
    for name in (".run.1.tmp", ".run.1.scratch.tmp"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "half").touch()
    (tmp_path / ".run2.1.tmp").touch()
    with atomic(tmp_path / "run") as temporary, scratch(temporary) as folder:
        (tmp_path / folder / "part").write_text("whole")
        (tmp_path / folder / "part").replace(temporary)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".run2.1.tmp", "run"]


def write_arrays(path: str) -> None:
    with open(path, "wb") as file:
        np.savez(file, x=np.zeros(100_000))


def write_state(path: str) -> None:
    with open(path, "wb") as file:
        torch.save({"x": torch.zeros(100_000)}, file)


@pytest.mark.parametrize(
    "write",
    [
        pl.DataFrame({"x": range(100_000)}).write_parquet,
        write_arrays,
        write_state,
        Tokenizer(WordLevel({str(i): i for i in range(20_000)}, unk_token="0")).save,
    ],
)
def test_a_full_disk_is_recognised_whatever_a_library_makes_of_it(write):
    with pytest.raises(Exception) as problem:  # noqa: PT011
        write("/dev/full")
    assert obstacle(problem.value, "table.parquet") == "table.parquet: No space left on device; free some space and run again"


def test_other_errors_are_no_obstacle(tmp_path):
    assert obstacle(PermissionError(13, "the network does not answer"), "out") is None
    assert obstacle(FileNotFoundError(2, "No such file", "in"), "out") is None
    denied = PermissionError(13, "Permission denied", "results/x")
    assert obstacle(denied, "out") == "results/x: Permission denied; make it accessible to you and run again"


def test_a_lock_is_held_by_one(tmp_path):
    lock(tmp_path / "logs/lock")
    with pytest.raises(InputError, match=rf"logs: process {os.getpid()} on .+ is at work here; wait until it ends, or end it"):
        lock(tmp_path / "logs/lock")


def test_a_lock_changes_nobody_elses_file(tmp_path):
    (tmp_path / "letters").write_text("dear")
    for number, link in enumerate((os.symlink, os.link)):
        place = tmp_path / f"{number}/lock"
        place.parent.mkdir()
        link(tmp_path / "letters", place)
        with pytest.raises(InputError, match=rf"^{place}: .+; remove what lies there"):
            lock(place)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match=r"pipe: a link, or no file; remove what lies there"):
        lock(tmp_path / "pipe")
    assert (tmp_path / "letters").read_text() == "dear"
    (tmp_path / "dangling").symlink_to(tmp_path / "new")
    with pytest.raises(InputError, match="dangling: "):
        lock(tmp_path / "dangling")
    assert not (tmp_path / "new").exists()


def test_links_in_the_way_are_replaced_and_what_they_lead_to_stays(tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious/letters").touch()
    for name in ("run", ".run.1.tmp", "table"):
        (tmp_path / name).symlink_to(tmp_path / "precious")
    with atomic(tmp_path / "run") as temporary:
        temporary.mkdir()
    with atomic(tmp_path / "table") as temporary:
        temporary.touch()
    assert sorted(path.name for path in tmp_path.iterdir() if not path.is_symlink()) == ["precious", "run", "table"]
    assert os.listdir(tmp_path / "precious") == ["letters"]


@pytest.mark.parametrize(("stand_in", "message"), [("pointer", "a pointer of Git LFS"), ("page.html", "a web page")])
def test_what_stands_in_the_place_of_a_table_is_named(tmp_path, stand_in, message):
    for name, read in (
        ("t.parquet", read_table),
        ("m.parquet", EntityMap.from_parquet),
        ("m.npz", EntityMap.from_npz),
        ("t.csv", read_text),
    ):
        shutil.copy(Path(__file__).parents[1] / "cases/documents" / stand_in, tmp_path / name)
        with pytest.raises(InputError, match=rf"^{tmp_path / name}: {message}"):
            read(tmp_path / name)


def test_a_message_shows_no_secret(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://somebody:hidden/word@127.0.0.1:9")
    monkeypatch.setenv("SOME_API_KEY", "tok_1234567890")
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "refused")
    for text, shown in [
        ("https://user:pw@host/x failed", "https://***@host/x failed"),
        ("https://hf_tok@host/x", "https://***@host/x"),
        ("at https://h/p?token=a/b&c=%20d); see it", "at https://h/p?***); see it"),
        ("exceeded with url: /p?X-Amz-Signature=ab%2F (Caused by", "exceeded with url: /p?*** (Caused by"),
        ("https://h/p#access_token=abc.", "https://h/p#***."),
        ("Authorization: Bearer abc123def", "Authorization: Bearer ***"),
        ("Proxy-Authorization: Basic dTpwdw==", "Proxy-Authorization: Basic ***"),
        ("proxy hidden/word refused by somebody:hidden", "proxy *** refused by ***"),
        ("tokens tok_1234567890 here", "tokens *** here"),
        ("data/C#1?.jsonl, line 3: a basic thing", "data/C#1?.jsonl, line 3: a basic thing"),
        ("see https://x.org/a/b; and say who?", "see https://x.org/a/b; and say who?"),
    ]:
        assert without_secrets(text) == str(InputError(text)) == shown


def test_a_log_shows_no_secret_whichever_library_writes_it(tmp_path, capsys):
    with pytest.raises(SystemExit), step(job(tmp_path)):
        logging.getLogger("overtime").info("from %s", "https://user:secretvalue@host/?key=secretvalue")
        logging.getLogger("other").warning("from %s", "https://user:secretvalue@host/?key=secretvalue")
        raise RuntimeError("HTTP 500 for https://host/?X-Amz-Signature=secretvalue")
    said = capsys.readouterr().err
    assert "RuntimeError: HTTP 500 for https://host/?***" in said
    assert "RuntimeError: HTTP 500 for https://host/?***" in (tmp_path / "log").read_text()
    assert "secretvalue" not in said + (tmp_path / "log").read_text()


def test_a_file_of_the_future_is_named(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / ".hidden").touch()
    check_dates([tmp_path])
    os.utime(tmp_path / "deep" / ".hidden", (4102444800, 4102444800))
    with pytest.raises(InputError, match=r"deep/\.hidden: dated .+; set the clock right, or: find .+ touch"):
        check_dates([tmp_path])


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
    assert read_scores(path).row(0, named=True) == {"pair": 7, "model": "pythia-1.4b", "arm": "swap14", "seed": "2"}
    write_table(pl.DataFrame({"pair": [7]}), tmp_path / "pairs.parquet")
    with pytest.raises(InputError, match="must lie at"):
        read_scores(tmp_path / "pairs.parquet")


def test_sha256_is_that_of_the_bytes(tmp_path):
    (tmp_path / "f").write_bytes(b"abc" * 100_000)
    assert sha256(tmp_path / "f") == hashlib.sha256(b"abc" * 100_000).hexdigest()


def job(tmp_path) -> SimpleNamespace:
    files = {"log": [str(tmp_path / "log")], "input": [str(tmp_path / "in")], "output": ["out"]}
    return SimpleNamespace(rule="count_documents", wildcards=["m", "0"], threads=1, **files)


def test_a_user_error_is_one_line_on_the_terminal_and_a_traceback_in_the_log(tmp_path, capsys):
    with pytest.raises(SystemExit) as stop, step(job(tmp_path)):
        raise InputError("pairs.csv: row 3 has no sent_less")
    assert stop.value.code == 1
    assert capsys.readouterr().err.strip() == "[count_documents m 0] error: pairs.csv: row 3 has no sent_less"
    assert "Traceback" in (tmp_path / "log").read_text()


def test_a_full_disk_is_one_line_of_a_step(tmp_path, capsys):
    with pytest.raises(SystemExit), step(job(tmp_path)):
        raise OSError(28, "No space left on device")
    assert (
        capsys.readouterr().err.strip()
        == "[count_documents m 0] error: out: No space left on device; free some space and run again"
    )


def test_a_step_ends_soon_after_what_started_it(tmp_path):
    (tmp_path / "job.py").write_text(
        "import time\n"
        "from types import SimpleNamespace\n"
        "from overtime.pipeline.step import step\n"
        "with step(SimpleNamespace(rule='r', wildcards=[], log=['log'], input=[], output=['out'], threads=1)):\n"
        "    print('began', flush=True)\n"
        "    time.sleep(60)\n"
        "    print('ended')\n"
    )
    start = "import subprocess, sys; subprocess.run([sys.executable, 'job.py'])"
    environment = os.environ | {"PYTHONPATH": str(Path(overtime.__file__).parents[1])}
    command = [sys.executable, "-c", start]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout.readline() == "began\n"
        parent.kill()
        assert parent.stdout.read() == ""  # until the job, too, has closed it


def test_messages_go_to_terminal_and_log(tmp_path, capsys):
    with step(job(tmp_path)):
        logging.getLogger("overtime.training.loop").info("step 5 of 10")
    assert "[count_documents m 0] step 5 of 10" in capsys.readouterr().err
    assert "step 5 of 10" in (tmp_path / "log").read_text()
