"""The manifest: what a run is known by, the workflow's own commit wherever it lies, and nothing of who ran it where."""

import getpass
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from overtime import InputError
from overtime.pipeline.code_hash import PACKAGE, workflow_hash
from overtime.pipeline.manifest import git, hashes, manifest, without_places

NOTHING = {"commit": None, "dirty": None}


@pytest.fixture
def run(tmp_path) -> Path:
    folder = tmp_path / "place/results/mini"
    (folder / "figures").mkdir(parents=True)
    for name in ("a.json", "b.svg"):
        (folder / "figures" / name).write_text(name)
    return folder


def commit_all(folder: Path, *ignored: str) -> str:
    """Make a repository of all in a folder; returns its commit."""
    (folder / ".gitignore").write_text("".join(f"{name}\n" for name in ignored))
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init", "-q"], ["add", "."], [*identity, "commit", "-qm", "first"]):
        subprocess.run(["git", *words], cwd=folder, check=True)
    return subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def workflow(tmp_path) -> Path:
    folder = tmp_path / "own/workflow"
    folder.mkdir(parents=True)
    (folder / "Snakefile").write_text("rule all:\n")
    (folder.parent / "README.md").write_text("read")
    return folder


def test_the_manifest_identifies_the_run(run, monkeypatch):
    monkeypatch.chdir(run.parents[1])
    settings = {"scale": "mini", "world": {"seed": 7}, "suite": {"s": {"seeds": 2, "width": 64}}}
    made = manifest(settings, [run / "figures/a.json"], Path("results").rglob("*.svg"), Path.cwd())
    assert made["seeds"] == {"world.seed": 7, "suite.s.seeds": 2}
    assert made["settings"] == settings
    assert made["inputs"] == {"results/mini/figures/a.json": {"sha256": hashlib.sha256(b"a.json").hexdigest(), "bytes": 6}}
    assert list(made["outputs"]) == ["results/mini/figures/b.svg"]
    assert made["packages"]["altair"]
    assert re.fullmatch("[0-9a-f]{64}", made["code"])
    assert json.loads(json.dumps(made)) == made
    with pytest.raises(InputError, match="absent: not a file"):
        manifest({}, [run / "absent"], [], run)


def test_the_commit_and_local_changes(workflow):
    commit = commit_all(workflow.parent)
    assert git(workflow) == {"commit": commit, "dirty": False}
    (workflow.parent / "README.md").write_text("changed")
    assert git(workflow) == {"commit": commit, "dirty": True}


def test_another_repository_around_is_not_the_workflows_own(workflow):
    """Unpacked inside one, ignored there or not added yet."""
    around = workflow.parents[1]
    commit_all(around, "own/")
    assert git(workflow) == NOTHING
    (around / ".gitignore").write_text("")
    assert git(workflow) == NOTHING
    own = commit_all(workflow.parent)
    assert git(workflow)["commit"] == own


def test_a_run_from_another_repository_names_the_workflows_own(workflow, tmp_path, monkeypatch):
    own, elsewhere = commit_all(workflow.parent), tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").write_text("other")
    other = commit_all(elsewhere)
    monkeypatch.chdir(elsewhere)
    for name, value in {
        "GIT_DIR": elsewhere / ".git",
        "GIT_WORK_TREE": elsewhere,
        "GIT_INDEX_FILE": elsewhere / ".git/index",
    }.items():
        monkeypatch.setenv(name, str(value))
    assert git(workflow)["commit"] == own != other


def test_a_workflow_that_is_a_part_of_a_repository_has_its_changes_alone(workflow):
    commit = commit_all(workflow.parents[1])
    (workflow.parents[1] / "neighbour").write_text("changed")
    assert git(workflow) == {"commit": commit, "dirty": False}


def test_without_git_there_is_the_hash_of_the_code(workflow, run, monkeypatch):
    commit_all(workflow.parent)
    monkeypatch.setenv("PATH", str(run))
    assert git(workflow) == NOTHING
    assert manifest({}, [], [], run)["code"] == workflow_hash()


def test_a_repository_of_somebody_else_is_no_error(workflow):
    """Git calls it dubious and says nothing of it."""
    if os.getuid():
        pytest.skip("giving files away needs root")
    commit_all(workflow.parent)
    for path in (workflow.parent, workflow.parent / ".git"):
        os.chown(path, 12345, 12345)
    assert git(workflow) == NOTHING


def test_settings_of_a_repository_run_nothing(workflow, tmp_path):
    commit_all(workflow.parent)
    monitor = tmp_path / "monitor.sh"
    monitor.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    monitor.chmod(0o755)
    subprocess.run(["git", "config", "core.fsmonitor", str(monitor)], cwd=workflow, check=True)
    assert git(workflow)["commit"]
    assert not (tmp_path / "ran").exists()


def test_the_hash_of_the_code_is_that_of_its_files(tmp_path, monkeypatch):
    place = shutil.copytree(PACKAGE.parent, tmp_path / "workflow", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr("overtime.pipeline.code_hash.PACKAGE", place / "overtime")
    same = workflow_hash()
    monkeypatch.undo()
    assert same == workflow_hash()
    monkeypatch.setattr("overtime.pipeline.code_hash.PACKAGE", place / "overtime")
    (place / "claims.yaml").write_text("[]")
    assert workflow_hash() != same


def test_files_elsewhere_go_by_their_names(tmp_path):
    root = tmp_path / "run"
    for folder in ("run/results", "alice/one", "alice/two"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "table.csv").write_text(folder)
    found = hashes([root / "results/table.csv", tmp_path / "alice/one/table.csv", tmp_path / "alice/two/table.csv"], root)
    second = hashlib.sha256(b"alice/two").hexdigest()
    assert list(found) == ["table.csv", f"table.csv ({second[:8]})", "results/table.csv"]
    assert list(hashes([PACKAGE.parent / "claims.yaml"], root)) == ["workflow/claims.yaml"]
    (root / "linked").symlink_to(tmp_path / "alice")
    assert list(hashes([root / "linked/one/table.csv"], root)) == ["linked/one/table.csv"]


def test_no_path_of_the_person_or_machine_is_written(run):
    home, host = str(Path.home()), platform.node()
    places = {
        "mirror": f"{home}/copies",
        "shards": [f"{home}/c4/*.jsonl", "../alice/b.jsonl", "data/c.jsonl"],
        "names": "~/n.csv",
    }
    made = manifest({"corpora": {"mine": places}, "seed": 1}, [], [], run)
    expected = {"mirror": "copies", "shards": ["*.jsonl", "b.jsonl", "data/c.jsonl"], "names": "n.csv"}
    assert made["settings"]["corpora"]["mine"] == expected
    text = json.dumps(made)
    for word in (f"{home}/", str(run.parent), host, *([] if getpass.getuser() == "root" else [getpass.getuser()])):
        assert word not in text
    assert without_places({"hub": "EleutherAI/pythia-70m", "n": 3, "none": None}) == {
        "hub": "EleutherAI/pythia-70m",
        "n": 3,
        "none": None,
    }
