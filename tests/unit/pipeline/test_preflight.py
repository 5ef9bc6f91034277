"""What keeps a run from starting is one line before any job: somebody else's checkout, a Python that a shell cannot name."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from overtime import InputError
from overtime.pipeline.preflight import check_interpreter, check_writable

ROOT = Path(__file__).parents[3]
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


@pytest.mark.parametrize("name", ["my env/bin/python", "a&b/python", "it's/python", "$HOME/python", "a(1)/python", "a;b/python"])
def test_a_python_that_a_shell_would_take_apart_is_named(name):
    with pytest.raises(
        InputError, match="Snakemake cannot start steps with a Python in a folder whose name holds spaces"
    ) as error:
        check_interpreter(f"/opt/{name}")
    assert str(error.value).startswith(f"/opt/{name}: ")


@pytest.mark.parametrize("path", ["/usr/bin/python3", "/home/a.b/x-y_z/.venv/bin/python3.11", sys.executable])
def test_usual_pythons_pass(path):
    check_interpreter(path)


def dry_run(folder: Path, *before: str, python: str = sys.executable) -> str:
    """What a dry run in a checkout says; it must fail without a traceback and leave nothing."""
    place = folder.with_name("home")
    place.mkdir(exist_ok=True)
    place.chmod(0o777)
    command = [*before, python, "-m", "snakemake", "--nocolor", "--dry-run"]
    environment = os.environ | {"HOME": str(place), "XDG_CACHE_HOME": str(place), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode != 0, done.stdout
    assert "Traceback" not in done.stderr + done.stdout
    return done.stderr + done.stdout


@pytest.fixture
def checkout() -> Iterator[Path]:
    """A checkout where everybody can read it; pytest's own folders are for one user alone."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "project")
        place.parent.chmod(0o755)
        for part in ("workflow", "config", "profiles"):
            shutil.copytree(ROOT / part, place / part, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "Snakefile", place)
        yield place


@pytest.fixture
def nobody() -> list[str]:
    """The command of an ordinary user."""
    if os.getuid() or subprocess.run([*NOBODY, sys.executable, "-c", "import snakemake"], capture_output=True).returncode:
        pytest.skip("needs root, setpriv and a Python that everybody can run")
    return NOBODY


@pytest.mark.parametrize("there", ["", ".snakemake", ".snakemake/metadata", "results", "results/mini/logs"])
def test_somebody_elses_checkout_is_one_line(checkout, nobody, there):
    refused = checkout / there
    refused.mkdir(parents=True, exist_ok=True)
    for folder in refused.parents:
        if there and folder.is_relative_to(checkout):
            folder.chmod(0o777)
    said = dry_run(checkout, *nobody)
    place = refused if there in ("", "results") else there
    assert f"{place}: Permission denied; make it accessible to you and run again" in said


def test_a_space_in_the_path_of_the_environment_is_one_line(checkout, tmp_path):
    (tmp_path / "my env").symlink_to(sys.prefix)
    said = dry_run(checkout, python=f"{tmp_path}/my env/bin/python")
    assert f"{tmp_path}/my env/bin/python: Snakemake cannot start steps with a Python in a folder whose name holds spaces" in said
    assert not (checkout / "results").exists()


def test_folders_of_ones_own_pass(tmp_path):
    (tmp_path / "results/mini/logs").mkdir(parents=True)
    check_writable([tmp_path / "results/mini", tmp_path / "absent/deeper"])
