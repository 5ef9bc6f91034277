"""Going through the checkpoints of training runs with one model whose weights are exchanged."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl

from overtime import InputError
from overtime.files import require_finite, sha256
from overtime.models.weights import Model, reload_weights

Measure = Callable[[], pl.DataFrame]  # what it finds with the weights that the model has when it is called


def read_log(run: str | Path) -> pl.DataFrame:
    """The log of a run, a row per checkpoint.

    `step`, `percent` of training (0-100), `tokens`, `loss`, `tokens_per_second`, and `sha256` of the checkpoint's weights.
    """
    path = Path(run) / "log.jsonl"
    try:
        return pl.DataFrame([json.loads(line) for line in path.read_text().splitlines()])
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not the log of a training run ({error}); delete {run} and run again") from error


def weights(run: str | Path, step: int) -> Path:
    """The weights file of one step of a run; InputError if it is missing or not the file that training wrote."""
    path = Path(run) / f"step{step}.safetensors"
    written = dict(read_log(run).select("step", "sha256").iter_rows())
    if step not in written:
        raise InputError(f"{run}/log.jsonl: no entry for step {step}; delete {run} and run again")
    if not path.is_file():
        raise InputError(f"{path}: missing; delete {run} and run again")
    if sha256(path) != written[step]:
        raise InputError(f"{path}: damaged, its SHA-256 is not the one in log.jsonl; delete {run} and run again")
    return path


def evaluate(
    model: Model, runs: Mapping[str, dict[str, object]], *measures: Measure, last_only: bool = False
) -> list[pl.DataFrame]:
    """One table per measure: what it returns with `model` at every checkpoint of every run, after `step`, `percent` and `tokens`.

    `runs` are the folders of runs, which must fit the model, and columns that say whose rows they are. Every checkpoint's weights
    are loaded once. What cannot be measured with the weights of a checkpoint, and a number that is not finite, is an InputError
    that names its file.
    """
    logs = {run: read_log(run).to_dicts()[-1 if last_only else 0 :] for run in runs}
    # All files are checked before any of them is scored.
    paths = {run: [weights(run, entry["step"]) for entry in log] for run, log in logs.items()}
    tables: list[list[pl.DataFrame]] = [[] for _ in measures]
    for run, identity in runs.items():
        for entry, path in zip(logs[run], paths[run]):
            reload_weights(model, path)
            place = identity | {name: entry[name] for name in ("step", "percent", "tokens")}
            for measure, rows in zip(measures, tables):
                try:
                    found = measure()
                except InputError as error:
                    raise InputError(f"{path}: {error}") from error
                require_finite(found, path)
                rows.append(found.select(*(pl.lit(value).alias(name) for name, value in place.items()), pl.all()))
    return [pl.concat(rows) for rows in tables]
