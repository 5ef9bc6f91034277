"""What a classification set can carry. The workflow asks before any job, so nothing is imported here but Python itself."""

import csv
import tomllib
from pathlib import Path
from typing import Any

from overtime import InputError


def described(name: str, folder: Path) -> dict[str, Any]:
    """The section of a set in tasks.toml; InputError if there is none, or no NAME.csv beside it."""
    tasks = tomllib.loads((folder / "tasks.toml").read_text(encoding="utf-8"))
    if name not in tasks:
        raise InputError(f"{folder / 'tasks.toml'}: no task {name!r}; it has {', '.join(tasks)}")
    if not (path := folder / f"{name}.csv").is_file():
        raise InputError(f"{path}: missing; it holds the items of task {name!r} with columns text, label")
    section: dict[str, Any] = tasks[name]
    return section


def check_task(name: str, folder: Path, prompts: int, demonstrations: int) -> None:
    """Raise InputError unless so many prompts with so many demonstrations can be built from the set, and studied.

    What is learned from one rotation group is tried on another, so there must be two.
    """
    labels = described(name, folder)["labels"]
    with open(folder / f"{name}.csv", encoding="utf-8", newline="") as file:
        items = sum(1 for _ in csv.DictReader(file))
    check_size(name, len(labels), items, prompts, demonstrations)
    if prompts < 2 * len(labels):
        raise InputError(f"task {name}: {prompts} prompts share one layout; use {2 * len(labels)} or more, to try on others")


def check_size(name: str, labels: int, items: int, prompts: int, demonstrations: int) -> None:
    """The same of a set with so many labels and items."""
    if prompts < 1 or prompts % labels:
        raise InputError(f"task {name}: {prompts} prompts cannot be balanced; use a multiple of its {labels} labels")
    # One item of each label is the query of a group of prompts, and no demonstration in it.
    most = (items // labels - 1) * labels
    if not 0 <= demonstrations <= most:
        raise InputError(f"task {name}: {demonstrations} demonstrations; its {items} items allow 0 to {most}")
