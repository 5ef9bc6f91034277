"""Going through the checkpoints of training runs with one model whose weights are exchanged."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import polars as pl
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from overtime import InputError, models

Measure = Callable[[PreTrainedModel, PreTrainedTokenizerBase], pl.DataFrame]


def read_log(run: str | Path) -> pl.DataFrame:
    """The log of a run: `step`, `percent` of training (0-100), `tokens`, `loss`, `tokens_per_second`, a row per checkpoint."""
    path = Path(run) / "log.jsonl"
    try:
        return pl.DataFrame([json.loads(line) for line in path.read_text().splitlines()])
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not the log of a training run ({error}); delete {run} and run again") from error


def evaluate(runs: Sequence[str | Path], *measures: Measure, last_only: bool = False) -> Iterator[list[pl.DataFrame]]:
    """For each run one table per measure: what it returns at every checkpoint, after `step`, `percent` and `tokens`.

    Every checkpoint's weights are loaded once, into one model. All runs must have one architecture and one tokenizer.
    """
    model, tokenizer = models.load(runs[0])
    for run in runs:
        log = {row["step"]: row for row in read_log(run).iter_rows(named=True)}
        checkpoints = models.checkpoints(run)
        tables: list[list[pl.DataFrame]] = [[] for _ in measures]
        for step, path in checkpoints[-1:] if last_only else checkpoints:
            if step not in log:
                raise InputError(f"{run}/log.jsonl: no entry for step {step}; delete the folder and run again")
            models.reload(model, path)
            place = [pl.lit(log[step][name]).alias(name) for name in ("step", "percent", "tokens")]
            for measure, rows in zip(measures, tables):
                rows.append(measure(model, tokenizer).select(*place, pl.all()))
        yield [pl.concat(rows) for rows in tables]
