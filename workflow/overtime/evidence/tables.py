"""The forms of evidence, and the tables it is computed from, read when a claim asks for them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from overtime import InputError
from overtime.files import read_table
from overtime.weighted import Statistic

Source = pl.DataFrame | str | Path | list[str] | list[Path]

RUN = r"(?P<model>[^/]+)/(?P<arm>[^/]+)/seed(?P<seed>\d+)\.parquet$"
# What an input is called -> the identities that its paths carry (None: a single table, whose path says nothing).
INPUTS: dict[str, str | None] = {
    "released_crows_pairs": None,
    "released_layers": None,
    "pairs": None,
    "pair_scores": RUN,
    "pronoun_scores": RUN,
    "questions": None,
    "counts": None,
    "closed_book": RUN,
    "passages": RUN,
    "targets": None,
    "sets": None,
    "set_answers": None,
    "set_counts": None,
    "corpora": None,
    "persona": r"(?P<model>[^/]+)/[^/]+\.parquet$",
    "layers": r"(?P<model>[^/]+)/(?P<task>[^/]+)\.parquet$",
    "detect": r"(?P<model>[^/]+)\.parquet$",
    "defend": r"(?P<model>[^/]+)\.parquet$",
}


SHARE, DIFFERENCE = (0.0, 1.0), (-1.0, 1.0)  # limits of a share, and of a difference of shares


class MissingEvidence(Exception):
    """This scale has no data for the comparison; the message, a clause without a full stop, says what is lacking."""


@dataclass(frozen=True)
class Sample:
    """Item scores: a statistic of item weights, and the independent unit of every item.

    `limits` are the least and the most that the statistic can be, for an honest interval where all units agree.
    """

    quantity: str
    unit: str
    statistic: Statistic
    units: NDArray
    limits: tuple[float, float] | None = None


@dataclass(frozen=True)
class Aggregate:
    """A published estimate of which only the standard error is known; `n` counts the units behind one evaluation."""

    quantity: str
    unit: str
    estimate: float
    standard_error: float
    n: int


@dataclass(frozen=True)
class Record:
    """A fact about documents, read rather than estimated."""

    holds: bool
    facts: str
    n: int
    unit: str


Evidence = Sample | Aggregate | Record


class Tables:
    """Named inputs of the evidence functions: tables, paths, or lists of paths `.../{model}/{arm}/seed{seed}.parquet`."""

    def __init__(self, inputs: Mapping[str, Source | None]) -> None:
        if unknown := sorted(set(inputs) - set(INPUTS)):
            raise InputError(f"claims: unknown input {', '.join(unknown)}; known are {', '.join(INPUTS)}")
        self._inputs = inputs

    def read(self, name: str, *columns: str) -> pl.DataFrame:
        """The table called `name` with at least `columns`; paths add the identities they carry (model, arm, seed, task)."""
        source = self._inputs.get(name)
        if source is None or (isinstance(source, list) and not source):
            raise MissingEvidence(f"there is no {name.replace('_', ' ')} table")
        if isinstance(source, pl.DataFrame):
            table = source
        else:
            paths = source if isinstance(source, list) else [source]
            table = pl.concat([self._with_identity(Path(path), INPUTS[name]) for path in paths], how="diagonal_relaxed")
        if missing := [column for column in columns if column not in table.columns]:
            raise InputError(f"{name}: no column {', '.join(missing)}; it has {', '.join(table.columns)}")
        if not len(table):
            raise MissingEvidence(f"the {name.replace('_', ' ')} table is empty")
        return table

    @staticmethod
    def _with_identity(path: Path, layout: str | None) -> pl.DataFrame:
        if path.suffix == ".csv":
            try:
                return pl.read_csv(path)
            except (OSError, pl.exceptions.PolarsError) as error:
                raise InputError(f"{path}: not a readable CSV table ({str(error).splitlines()[0]})") from error
        table = read_table(path)
        if layout is None:
            return table
        if not (found := re.search(layout, path.as_posix())):
            raise InputError(f"{path}: a path of this table must look like {layout}")
        return table.with_columns(pl.lit(value).alias(key) for key, value in found.groupdict().items())


def final(scores: pl.DataFrame) -> pl.DataFrame:
    """The rows of the last step of every run (model, arm, seed)."""
    return scores.filter(pl.col("step") == pl.col("step").max().over("model", "arm", "seed"))


def size(model: str) -> float:
    """Order models by size: the mini suite by its names, others by the parameter count in the name (70m, 1.4b, 400M)."""
    suite = {"xs": 1.0, "s": 2.0, "m": 3.0, "l": 4.0}
    if model in suite:
        return suite[model]
    if not (found := re.search(r"(\d+(?:\.\d+)?)(m|b)(?![a-z])", model.lower())):
        raise InputError(
            f"model {model}: no parameter count in the name (such as 70m or 1.4b), and not one of {', '.join(suite)}"
        )
    return float(found[1]) * (1e6 if found[2] == "m" else 1e9)


def arm(scores: pl.DataFrame, name: str) -> pl.DataFrame:
    """The rows of one arm, or `MissingEvidence`."""
    rows = scores.filter(pl.col("arm") == name)
    if not len(rows):
        raise MissingEvidence(f"no model has an arm {name}")
    return rows


def over_runs(scores: pl.DataFrame, item: list[str], value: str) -> pl.DataFrame:
    """Mean of `value` per item: over the seeds of a model, then over models, so that every model counts alike."""
    ordered = scores.sort(*item, "model", "arm", "seed")
    of_model = ordered.group_by(*item, "model", maintain_order=True).agg(pl.mean(value))
    return of_model.group_by(*item, maintain_order=True).agg(pl.mean(value))


def paired(left: pl.DataFrame, right: pl.DataFrame, item: list[str], value: str) -> pl.DataFrame:
    """The items that both tables hold, in the order of `left`; the right side's `value` becomes the column `other`."""
    return left.join(right.select(*item, pl.col(value).alias("other")), on=item, maintain_order="left")


def array(table: pl.DataFrame, column: str) -> NDArray:
    """One column as floats; missing values are not allowed in evidence."""
    values = table[column].cast(pl.Float64).to_numpy()
    if not np.isfinite(values).all():
        raise InputError(f"{column}: {int((~np.isfinite(values)).sum())} of {len(values)} values are missing or NaN")
    return values
