"""Killed at any moment, a run goes on where it was, and ends with the files of a run that nothing disturbed."""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

from outcomes import RESULTS, SETTINGS, contents, differences, finish, leftovers
from project import ALONE, SNAKEMAKE, create

KILLS = 20
LONGEST = 5.0  # seconds from a run's first job, or from when it has got far enough, to its end


def ended(project: Path) -> int:
    """Jobs that ended: each leaves its benchmark."""
    return sum(1 for _ in (project / RESULTS / "benchmarks").rglob("*.tsv"))


def kill(project: Path, at_least: float, delay: float) -> bool:
    """Start a run; when it has begun a job and finished so many in all, wait and kill it with its jobs; False: it ended first."""
    said = project / "said.txt"
    with said.open("w") as file:
        options = {"stdout": file, "stderr": file, "start_new_session": True, "env": os.environ | ALONE}
        process = subprocess.Popen([*SNAKEMAKE, *SETTINGS], cwd=project, **options)
    while process.poll() is None and ("Execute" not in said.read_text() or ended(project) < at_least):
        time.sleep(0.05)
    try:
        assert process.wait(delay) == 0, said.read_text()[-4000:]
        return False
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True


def test_a_run_that_is_killed_again_and_again_ends_with_the_same_files(finished, tmp_path):
    project, moments = create(tmp_path / "project"), random.Random(0)
    whole, jobs = contents(finished / RESULTS), ended(finished)
    killed = 0
    while killed < KILLS:
        if kill(project, at_least=jobs * killed / KILLS, delay=moments.uniform(0, LONGEST)):
            killed += 1
        else:
            for name in ("figures/fig1.svg", "index.html"):  # so that there is something left to do
                (project / RESULTS / name).unlink()
        there = contents(project / RESULTS)
        assert [name for name, content in there.items() if content != whole.get(name, content)] == []
    finish(project)
    assert differences(project, finished) == []
    assert leftovers(project / RESULTS) == []
