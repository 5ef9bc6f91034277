"""Planning the talk with every published checkpoint as a job of its own, and with a hundred times as many as the talk has.

Seconds of a dry run, against those of the default run, and its memory.

python benchmarks/plan.py
"""

import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
DRY_RUN = [sys.executable, "-m", "snakemake", "--dry-run", "--quiet", "rules", "--workflow-profile", "none", "--cores", "all"]
STEPS = list(range(0, 144_000, 1000))  # Pythia's, but for those of powers of two
FINER_STEPS = list(range(0, 143_001, 100))


def dry_run(*settings: Path) -> tuple[int, float]:
    """Jobs that a dry run from nothing lists, and the seconds that it takes."""
    with tempfile.TemporaryDirectory() as folder:
        command = [*DRY_RUN, "--snakefile", ROOT / "Snakefile", "--directory", folder]
        start = time.perf_counter()
        said = subprocess.run(
            [*command, *(["--configfile", *settings] if settings else [])], check=True, capture_output=True, text=True
        )
    return int(re.search(r"^total +(\d+)", said.stdout + said.stderr, re.MULTILINE)[1]), time.perf_counter() - start


def twice(steps: list[int], per_job: int) -> dict:
    """Settings with the talk's families twice, each arm scored at all of these steps."""
    families = yaml.safe_load((ROOT / "config/talk.yaml").read_text())["checkpoints"]
    for family in families.values():
        family["per_job"] = per_job
        for arm in family["arms"].values():
            arm["steps"] = steps
    return {"checkpoints": families | {f"{name}-v1": family for name, family in families.items()}}


def main() -> None:
    talk = ROOT / "config/talk.yaml"
    with tempfile.TemporaryDirectory() as folder:
        every, finer = Path(folder, "every.yaml"), Path(folder, "finer.yaml")
        every.write_text(yaml.safe_dump(twice(STEPS, 1)))
        finer.write_text(yaml.safe_dump(twice(FINER_STEPS, 100)))
        runs = {"default": (), "talk": (talk,), "talk, all checkpoints twice": (talk, every)}
        runs["talk, a hundred times its checkpoints, a hundred in a job"] = (talk, finer)
        for name, settings in runs.items():
            jobs, seconds = dry_run(*settings)
            print(f"{name}: {jobs} jobs in {seconds:.1f} s, {jobs / seconds:.0f} per second", flush=True)
    print(f"memory of the largest: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000:.0f} MB")


if __name__ == "__main__":
    main()
