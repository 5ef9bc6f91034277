"""Planning the talk with every published checkpoint as a job of its own: seconds of a dry run, against those of the default run.

python benchmarks/plan.py
"""

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
DRY_RUN = [sys.executable, "-m", "snakemake", "--dry-run", "--quiet", "rules", "--workflow-profile", "none", "--cores", "all"]
STEPS = list(range(0, 144_000, 1000))  # Pythia's, but for those of powers of two


def dry_run(*settings: Path) -> tuple[int, float]:
    """Jobs that a dry run from nothing lists, and the seconds that it takes."""
    with tempfile.TemporaryDirectory() as folder:
        command = [*DRY_RUN, "--snakefile", ROOT / "Snakefile", "--directory", folder]
        start = time.perf_counter()
        said = subprocess.run(
            [*command, *(["--configfile", *settings] if settings else [])], check=True, capture_output=True, text=True
        )
    return int(re.search(r"^total +(\d+)", said.stdout + said.stderr, re.MULTILINE)[1]), time.perf_counter() - start


def main() -> None:
    talk = ROOT / "config/talk.yaml"
    families = yaml.safe_load(talk.read_text())["checkpoints"]
    for family in families.values():
        for arm in family["arms"].values():
            arm["steps"] = STEPS
    again = {f"{name}-v1": family for name, family in families.items()}
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as every_checkpoint:
        yaml.safe_dump({"checkpoints": families | again}, every_checkpoint)
        every_checkpoint.flush()
        runs = {"default": (), "talk": (talk,), "talk, all checkpoints twice": (talk, Path(every_checkpoint.name))}
        for name, settings in runs.items():
            jobs, seconds = dry_run(*settings)
            print(f"{name}: {jobs} jobs in {seconds:.1f} s, {jobs / seconds:.0f} per second")


if __name__ == "__main__":
    main()
