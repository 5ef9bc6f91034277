"""Going through the checkpoints of training runs with one model whose weights are exchanged."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import polars as pl
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from overtime import InputError
from overtime.files import sha256
from overtime.models.load import load, reload_weights

Measure = Callable[[PreTrainedModel, PreTrainedTokenizerBase], pl.DataFrame]


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


def evaluate(runs: Sequence[str | Path], *measures: Measure, last_only: bool = False) -> Iterator[list[pl.DataFrame]]:
    """For each run one table per measure: what it returns at every checkpoint, after `step`, `percent` and `tokens`.

    Every checkpoint's weights are loaded once, into one model. All runs must have one architecture and one tokenizer.
    """
    logs = [read_log(run).to_dicts()[-1 if last_only else 0 :] for run in runs]
    # All files are checked before any of them is scored.
    paths = [[weights(run, entry["step"]) for entry in log] for run, log in zip(runs, logs)]
    model, tokenizer = load(runs[0])
    for log, files in zip(logs, paths):
        tables: list[list[pl.DataFrame]] = [[] for _ in measures]
        for entry, path in zip(log, files):
            reload_weights(model, path)
            place = [pl.lit(entry[name]).alias(name) for name in ("step", "percent", "tokens")]
            for measure, rows in zip(measures, tables):
                rows.append(measure(model, tokenizer).select(*place, pl.all()))
        yield [pl.concat(rows) for rows in tables]
