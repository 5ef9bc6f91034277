"""A finished tiny run of the whole DAG, made once, in a copy of the repository."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ("Snakefile", "workflow", "config", "envs", "profiles")
TINY = Path(__file__).with_name("tiny.yaml")
SNAKEMAKE = (sys.executable, "-m", "snakemake")


def snakemake(folder: Path, *arguments: str, settings: Sequence[Path] = (TINY,)) -> subprocess.CompletedProcess:
    """Run snakemake in a folder with these settings on top of the default ones."""
    command = [*SNAKEMAKE, "--nocolor", *arguments, "--configfile", *map(str, settings)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def copy_project(folder: Path) -> Path:
    """The parts of the repository that a run needs."""
    for part in PARTS:
        source = ROOT / part
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, folder / part)
    return folder


@pytest.fixture(scope="session")
def project(tmp_path_factory) -> Path:
    """A copy of the project with a finished tiny run."""
    folder = copy_project(tmp_path_factory.mktemp("project"))
    result = snakemake(folder)
    assert result.returncode == 0, result.stderr[-4000:]
    return folder
