"""What a disturbed run says, and what it leaves compared with the finished one."""

import json
import os
import re
import subprocess
from pathlib import Path

import polars as pl
from project import ALONE, SNAKEMAKE, TINY

RESULTS = Path("results/tiny")
SETTINGS = ("--configfile", str(TINY))


def run(project: Path, *targets: str | Path, **environment: str) -> subprocess.CompletedProcess:
    """Run snakemake in the project, stdout and stderr together in `stdout`."""
    command = [*SNAKEMAKE, *map(str, targets), *SETTINGS]
    env = os.environ | ALONE | environment
    return subprocess.run(command, cwd=project, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish(project: Path, *targets: str | Path, **environment: str) -> str:
    """Run to the end; returns what was said."""
    result = run(project, *targets, **environment)
    assert result.returncode == 0, result.stdout[-4000:]
    return result.stdout


def fail(project: Path, *targets: str | Path, **environment: str) -> list[str]:
    """Run into errors; returns the different lines that steps, or the workflow itself, say of them, without (their reasons)."""
    result = run(project, *targets, **environment)
    assert result.returncode != 0, result.stdout[-4000:]
    said = re.findall(rf"^(?:\[.+\] error: )?({RESULTS}.*: .+)$", result.stdout, re.MULTILINE)
    return list(dict.fromkeys(re.sub(r" \(.+\)", "", line) for line in said))


def contents(results: Path) -> dict[Path, object]:
    """What is in the files that a reader sees: no logs, no hidden files; logs of training and reports without times."""
    files = (path for path in results.rglob("*") if path.is_file())
    named = {path.relative_to(results): path for path in files}
    return {
        name: _content(path)
        for name, path in named.items()
        if name.parts[0] not in ("logs", "benchmarks") and not any(part.startswith(".") for part in name.parts)
    }


def differences(project: Path, finished: Path, within: Path = RESULTS) -> list[Path]:
    """Files that only one of two projects has, or that differ."""
    ended, whole = contents(project / within), contents(finished / within)
    return [name for name in sorted({*ended, *whole}) if ended.get(name) != whole.get(name)]


def _content(path: Path) -> object:
    if path.suffix == ".parquet" and "cpu_seconds" in pl.read_parquet_schema(path):
        return pl.read_parquet(path).drop("cpu_seconds", "seconds").rows()
    if path.name != "log.jsonl":
        return path.read_bytes()
    return [json.loads(line) | {"tokens_per_second": None} for line in path.read_text().splitlines()]


def leftovers(results: Path) -> list[Path]:
    """Files that no step means to leave."""
    return [path for path in results.rglob("*") if path.suffix in (".tmp", ".partial") or path.name.startswith("tmp")]
