"""What a training run keeps besides weights, all of it signed: optimizer states, and what an interrupted one goes on from."""

import json
from pathlib import Path
from typing import Any

import torch

from overtime import InputError
from overtime.checksums import check_signature, sign
from overtime.files import atomic, sha256

RESUME = "resume.pt"


def save_state(state: dict[str, Any], path: Path) -> None:
    """Write a state of tensors and plain values; it ends in its own SHA-256."""
    with atomic(path) as temporary:
        with open(temporary, "wb") as file:  # given a path instead, torch does not say why it failed
            torch.save(state, file)
        sign(temporary)


def load_state(path: Path, run: Path) -> dict[str, Any]:
    """Read what `save_state` wrote; InputError unless it is whole, with the advice to delete `run`."""
    check_signature(path, run)
    state: dict[str, Any] = torch.load(path, weights_only=True)
    return state


def read_interrupted(partial: Path, identity: str) -> dict[str, Any]:
    """What an interrupted run left: `log` (lines of log.jsonl, at least one) and the state of its `optimizer`.

    Raises InputError unless the run has this identity and all its checkpoints are what it wrote.
    """
    state = load_state(partial / RESUME, partial)
    if state.get("identity") != identity:
        raise InputError(f"{partial}: interrupted with another text, recipe or beginning")
    for entry in map(json.loads, state["log"]):
        path = partial / f"step{entry['step']}.safetensors"
        if not path.is_file() or sha256(path) != entry["sha256"]:
            raise InputError(f"{path}: missing or damaged")
        optimizer = path.with_suffix(".optimizer.pt")
        if optimizer.exists():
            check_signature(optimizer, partial)
    return state
