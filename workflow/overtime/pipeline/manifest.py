"""The manifest of a run: versions, settings, seeds, and what went in and came out; nothing of the person or the machine."""

import os
import platform
import subprocess
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from overtime import InputError, __version__
from overtime.files import sha256
from overtime.pipeline.code_hash import PACKAGE, workflow_hash

MANIFEST_PACKAGES: tuple[str, ...] = (
    "snakemake",
    "torch",
    "transformers",
    "safetensors",
    "gguf",
    "polars",
    "altair",
    "vl-convert-python",
    "pydantic",
    "numpy",
)
MANIFEST_PACKAGES += ("scipy", "scikit-learn", "bm25s", "ahocorasick-rs", "pyroaring", "zstandard")


def manifest(settings: dict[str, Any], inputs: Iterable[Path], outputs: Iterable[Path], root: str | Path) -> dict[str, Any]:
    """Everything needed to tell whether two runs are the same.

    Files go by their paths relative to `root`, where the run is made, or to the workflow's own folder; others, and paths in the
    settings that lead elsewhere, by their names alone.
    """
    return {
        "overtime": __version__,
        "code": workflow_hash(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": dict(installed()),
        "git": git(PACKAGE.parent),
        "settings": without_places(settings),
        "seeds": dict(seeds(settings)),
        "inputs": hashes(inputs, root),
        "outputs": hashes(outputs, root),
    }


def installed() -> Iterator[tuple[str, str]]:
    """Versions of the packages that are installed; nothing is imported."""
    for name in MANIFEST_PACKAGES:
        try:
            yield name, version(name)
        except PackageNotFoundError:
            continue


def seeds(settings: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Every setting called `seed` or `seeds`, with its path."""
    for key, value in settings.items():
        if isinstance(value, dict):
            yield from seeds(value, f"{prefix}{key}.")
        elif key in ("seed", "seeds"):
            yield f"{prefix}{key}", value


def git(workflow: Path) -> dict[str, Any]:
    """The commit of the repository in which the Snakefile of a folder is tracked, and whether files there differ from it.

    Both are None where there is none: without git, outside version control, in a repository of something else or of somebody
    else, whom git does not trust.
    """
    own = _git(workflow, "ls-files", "--error-unmatch", "Snakefile") is not None
    commit = _git(workflow, "rev-parse", "HEAD") if own else None
    # `..`: what else the repository holds is no part of the run.
    changes = _git(workflow, "status", "--porcelain", "--", "..") if commit else None
    return {"commit": commit, "dirty": None if changes is None else changes != ""}


def _git(folder: Path, *words: str) -> str | None:
    """What git says of a folder; None where it cannot."""
    # In a hook of another repository, GIT_DIR and others name that one. A monitor is a command in a repository's own settings.
    kept = {"GIT_CEILING_DIRECTORIES", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name in kept}
    command = ["git", "-c", "core.fsmonitor=false", "-C", str(folder), *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=True, env=environment)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def without_places(value: Any) -> Any:
    """Settings in which a path that leads out of the folder of the run is its last part alone."""
    if isinstance(value, dict):
        return {key: without_places(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [without_places(inner) for inner in value]
    outside = isinstance(value, str) and (value.startswith(("/", "~")) or ".." in Path(value).parts)
    return Path(value).name if outside else value


def hashes(paths: Iterable[Path], root: str | Path) -> dict[str, dict[str, object]]:
    """Size and SHA-256 of files, by path within `root` or the workflow's own folder, or by name."""
    found: dict[str, dict[str, object]] = {}
    for path in sorted(map(_absolute, paths)):
        if not path.is_file():
            raise InputError(f"{path}: not a file; the manifest lists files that exist")
        within = next(
            (path.relative_to(home) for home in (_absolute(root), PACKAGE.parents[1]) if path.is_relative_to(home)), None
        )
        entry: dict[str, object] = {"sha256": sha256(path), "bytes": path.stat().st_size}
        name = path.name if within is None else within.as_posix()
        found[name if found.get(name, entry) == entry else f"{name} ({str(entry['sha256'])[:8]})"] = entry
    return found


def _absolute(path: str | Path) -> Path:
    """Links are not followed: results may lie on another disk."""
    return Path(os.path.abspath(path))
