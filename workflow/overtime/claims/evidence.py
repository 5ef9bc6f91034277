"""The forms of evidence, and the tables it is computed from, read when a claim asks for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from overtime import InputError
from overtime.files import read_table, require_finite, require_unique
from overtime.jackknife import LeaveOuts, Student
from overtime.statistics import Normal, Statistic
from overtime.tables import MODEL, RUN, VARIANT, ArmSettings, arm_table, by_size, continued_runs, read_scores

TableInput = pl.DataFrame | str | Path | list[str] | list[Path]

# What an input is called -> the identity that its paths carry (None: a single table, whose path says nothing).
INPUTS: dict[str, tuple[str, ...] | None] = {
    "released_crows_pairs": None,
    "released_layers": None,
    "independent_winobias": None,
    "independent_winogender": None,
    "references": None,
    "contexts": None,
    "pairs": None,
    "pair_scores": MODEL,
    "pronoun_scores": MODEL,
    "published_pairs": RUN,
    "published_pronouns": RUN,
    **dict.fromkeys(("continued_pairs", "continued_pronouns", "continued_winobias"), ("run",)),
    **dict.fromkeys(("start_pairs", "start_pronouns", "start_winobias"), ("family",)),
    "continued_runs": None,
    **{"continued_answers": ("run", "asked"), "continued_text": ("run",), "compared_runs": None},
    "variant_pairs": VARIANT,
    "variant_questions": VARIANT,
    "variant_counts": VARIANT,
    "variant_closed_book": (*VARIANT, "model"),
    "variant_pair_scores": (*VARIANT, "model"),
    "variant_pronoun_scores": (*VARIANT, "model"),
    "questions": None,
    "counts": None,
    "closed_book": MODEL,
    "passages": MODEL,
    "targets": None,
    "sets": None,
    "set_answers": None,
    "set_counts": None,
    "models": None,
    "arms": None,
    "persona": MODEL,
    "assertions": None,
    "layers": ("model", "task"),
    "second_layers": ("model", "task"),
    "detect": MODEL,
    "noisy_detect": MODEL,
    "defend": MODEL,
}

# Why an input can be lacking: what the settings do without.
WITHOUT = dict.fromkeys(("layers", "detect", "defend"), "no pretrained model takes part in the study layers")
WITHOUT |= {
    **dict.fromkeys(("persona", "assertions"), "no pretrained model takes part in the study persona"),
    "continued_runs": "no continued run is scored (settings interventions, continued)",
    "compared_runs": "no model is trained further with documents inserted (setting continued)",
    "continued_text": "no run with documents inserted has text held out",
    "set_answers": "no pretrained model takes part in the study questions",
    "targets": "no model is trained with inserted documents",
    "passages": "no model of the suite answers with passages",
}

SHARE, DIFFERENCE = (0.0, 1.0), (-1.0, 1.0)  # limits of a share, and of a difference of shares


class MissingEvidence(Exception):
    """This scale has no data for the comparison; the message, a clause without a full stop, says what is lacking."""


@dataclass(frozen=True)
class Sample:
    """Item scores of runs: the statistic of item weights of every run, by size, and the unit or two crossed units of every item.

    The estimate is the sum over sizes, by `weights` (null: all alike), of the mean over a size's runs. `units` maps what they are
    called (in the plural) to the unit of every item [items]. `limits` are the least and the most that the estimate can be, for an
    honest interval where all units agree. `note` says what was left out, and why: a clause without a full stop.
    """

    quantity: str
    units: Mapping[str, NDArray[np.generic]]
    runs: Mapping[str, Sequence[Statistic]]
    weights: Mapping[str, float] | None = None
    limits: tuple[float, float] | None = None
    note: str = ""

    @cached_property
    def leave_outs(self) -> LeaveOuts:
        """Every run's statistic with all items and without each unit."""
        return LeaveOuts(self.runs, self.units.values())

    def estimate(self, one: Mapping[str, int] | None = None) -> Student:
        """The estimate over all runs, or over `one` of each size, with its error."""
        return self.leave_outs.student(self.weights, self.limits, one)


@dataclass(frozen=True)
class Aggregate:
    """A published estimate of which only the standard error is known; `n` counts the units behind one evaluation."""

    quantity: str
    unit: str
    estimated: float
    standard_error: float
    n: int
    note: str = ""

    def estimate(self, one: Mapping[str, int] | None = None) -> Normal:
        """The estimate with its error; of single runs nothing is known."""
        return Normal(self.estimated, self.standard_error, self.n)


@dataclass(frozen=True)
class Record:
    """A fact about documents, read rather than estimated."""

    holds: bool
    facts: str
    n: int
    unit: str


Evidence = Sample | Aggregate | Record


class Tables:
    """Named inputs of the evidence functions: tables, paths, or lists of paths that say whose scores they hold."""

    def __init__(self, inputs: Mapping[str, TableInput | None]) -> None:
        if unknown := sorted(set(inputs) - set(INPUTS)):
            raise InputError(f"claims: unknown input {', '.join(unknown)}; known are {', '.join(INPUTS)}")
        self._inputs = inputs
        self._read: dict[str, pl.DataFrame] = {}

    def read(self, name: str, *columns: str) -> pl.DataFrame:
        """The table called `name` with at least `columns`; paths add the identities they carry (model, arm, seed, task).

        InputError for a column that is lacking, and for NaN in any: `ll_more > ll_less` would be a preference.
        """
        source = self._inputs.get(name)
        if source is None or (isinstance(source, list) and not source):
            raise MissingEvidence(WITHOUT.get(name, f"there is no {name.replace('_', ' ')} table"))
        if name not in self._read:
            paths = source if isinstance(source, list) else [source]
            tables = [path if isinstance(path, pl.DataFrame) else _read(Path(path), INPUTS[name]) for path in paths]
            self._read[name] = pl.concat(tables, how="diagonal_relaxed")
            require_finite(self._read[name], name)
        table = self._read[name]
        if not len(table):
            raise MissingEvidence(f"the {name.replace('_', ' ')} table is empty")
        if missing := [column for column in columns if column not in table.columns]:
            raise InputError(f"{name}: no column {', '.join(missing)}; it has {', '.join(table.columns)}")
        return table


def _read(path: Path, identity: tuple[str, ...] | None) -> pl.DataFrame:
    if path.suffix != ".csv":
        return read_table(path) if identity is None else read_scores(path, identity)
    try:
        return pl.read_csv(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{path}: not a readable CSV table ({str(error).splitlines()[0]})") from error


def arm(scores: pl.DataFrame, name: str) -> pl.DataFrame:
    """The rows of one arm, or `MissingEvidence`."""
    rows = scores.filter(pl.col("arm") == name)
    if not len(rows):
        raise MissingEvidence(f"no model has an arm {name}")
    return rows


def in_world(tables: Tables, variant: str | None, name: str, *columns: str) -> pl.DataFrame:
    """A table of the suite, or the rows of a variant of its world (null: the world itself)."""
    if variant is None:
        return tables.read(name, *columns)
    rows = tables.read(f"variant_{name}", "variant", *columns).filter(variant=variant)
    if rows.is_empty():
        raise MissingEvidence(f"there is no variant of the world called {variant}")
    return rows


def ordered_models(tables: Tables, models: pl.Series) -> list[str]:
    """The distinct models from the smallest to the largest."""
    sizes = dict(tables.read("models", "model", "parameters").select("model", "parameters").iter_rows())
    return by_size(models, sizes)


def declarations(
    parameters: Mapping[str, float],
    corpora: Mapping[str, str | None],
    arms: Mapping[str, ArmSettings],
    published: Mapping[str, Mapping[str, ArmSettings]],
    continued: Sequence[Mapping[str, object]] = (),
    compared: Sequence[Mapping[str, object]] = (),
) -> dict[str, pl.DataFrame]:
    """What the settings declare, as inputs: of models their billions of parameters and corpus; of arms what they are.

    `arms` are those of the suite, `published` those of each published model; `continued` says what each run with scores is,
    `compared` which runs with documents inserted have which control.
    """
    models = [(model, billions, corpora.get(model)) for model, billions in parameters.items()]
    tables = [arm_table(arms).with_columns(model=pl.lit(None, pl.String))]
    tables += [arm_table(own).with_columns(model=pl.lit(model)) for model, own in published.items()]
    columns = {"model": pl.String, "parameters": pl.Float64, "corpus": pl.String}
    declared = {"models": pl.DataFrame(models, columns, orient="row"), "arms": pl.concat(tables)}
    declared |= {"continued_runs": continued_runs(continued)} if continued else {}
    return declared | ({"compared_runs": pl.DataFrame(compared)} if compared else {})


class RunScores(NamedTuple):
    """What all runs scored: `items`, a row for each with the key columns, and `of`, for each size the scores [runs, items]."""

    items: pl.DataFrame
    of: dict[str, NDArray[np.float64]]


def by_run(scores: pl.DataFrame, item: list[str], value: str) -> RunScores:
    """The scores of every run (model and seed) on the items that all of them hold, in the order of the items' keys.

    InputError where a run has an item twice.
    """
    require_unique(scores, [*item, "model", "seed"], "scores at the end of training")
    runs = scores.select("model", pl.col("seed").cast(pl.String)).unique()
    shared = scores.group_by(item).len().filter(pl.col("len") == len(runs)).select(item).sort(item)
    ordered = scores.join(shared, on=item, how="semi").sort("model", pl.col("seed").cast(pl.String), *item)
    of = {
        str(model): array(rows, value).reshape(-1, len(shared))
        for (model,), rows in ordered.group_by("model", maintain_order=True)
    }
    return RunScores(shared, of)


def array(table: pl.DataFrame, column: str) -> NDArray[np.float64]:
    """One column as floats; missing values are not allowed in evidence."""
    values = table[column].cast(pl.Float64).to_numpy()
    if not np.isfinite(values).all():
        raise InputError(f"{column}: {int((~np.isfinite(values)).sum())} of {len(values)} values are missing or NaN")
    return values
