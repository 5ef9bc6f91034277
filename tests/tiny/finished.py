"""One finished tiny run for all suites, made once for a state of the code; tests that change something take copies."""

import fcntl
import os
import shutil
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import yaml
from project import ALONE, PARTS, ROOT, RUNS, SNAKEMAKE, TINY, create

DAY = 86400  # seconds
# It is made without a network and with secrets around, for tests to look for what became of either.
SECRETS = {"HF_TOKEN": "hf_secretvalue", "PIP_INDEX_URL": "http://somebody:secretvalue@127.0.0.1:9/simple", "PIP_RETRIES": "0"}


def state() -> str:
    """Hash of all that the run could depend on: the project, stand-ins, versions, this Python, the place of everything."""
    sources = [ROOT / part for part in (*PARTS, "requirements.txt")] + [Path(__file__).parent]
    files = [file for source in sources for file in (source.rglob("*") if source.is_dir() else [source])]
    digest = sha256(f"{sys.version} {sys.prefix} {ROOT}".encode())
    for file in sorted(files):
        if file.is_file() and file.suffix != ".pyc":
            content = file.read_bytes()
            digest.update(f"{file} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


def finished() -> Path:
    """The project with its finished run, not to be changed; what Snakemake said is in said.txt, written last."""
    folder = RUNS / state()
    RUNS.mkdir(parents=True, exist_ok=True)
    with open(RUNS / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several suites may want it at once
        if not (folder / "said.txt").exists():
            for old in [folder, *(other for other in RUNS.iterdir() if other.stat().st_mtime < time.time() - DAY)]:
                shutil.rmtree(old, ignore_errors=True)
            said = make(create(folder))
            (folder / "said.txt").write_text(said)
    return folder


def make(folder: Path) -> str:
    """Run all of it; returns what was said."""
    without_network = ["unshare", "--net"]
    if subprocess.run([*without_network, "true"], capture_output=True).returncode:
        without_network = []  # it takes root; no download finds its way all the same
    environment = os.environ | ALONE | SECRETS
    command = [*without_network, *SNAKEMAKE, "--configfile", str(TINY)]
    done = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


def copy_finished(project: Path, folder: Path) -> Path:
    """A copy of the finished project, in which only what changes is made again.

    Snakemake remembers the absolute paths of some inputs: another place would be a change of all that is made from them.
    """
    shutil.copytree(project, folder, symlinks=True)
    profile = folder / "profiles/default/config.yaml"
    triggers = {"rerun-triggers": ["mtime", "params", "code", "software-env"]}
    profile.write_text(yaml.safe_dump(yaml.safe_load(profile.read_text()) | triggers))
    return folder
