"""What tables of several rooms share: identities in a path, columns of an interval, the order of models, what an arm is.

A score table lies at a path that says whose scores it holds; a figure table begins with `source`, `series`, `x`, `y`, `lower`,
`upper`, `n`, the last four from one interval.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NotRequired, TypedDict

import polars as pl

from overtime import InputError
from overtime.files import read_table, require_finite

if TYPE_CHECKING:
    from overtime.statistics import Interval


class ArmSettings(TypedDict):
    """What the settings say of an arm."""

    rewrite: str
    share: NotRequired[float]
    probability: NotRequired[float]


BY_OTHERS = "released by others"  # a kind of evidence, and the source of its rows
ALWAYS_FEMININE = "always feminine"  # the series of a model that prefers the feminine sentence of every pair
RARE = 99  # most documents of a rare fact: "single digits or double digits" (06:09)
RETRIEVED = "bm25_"  # conditions with the k best passages of BM25 are bm25_{k}
HARDER = "gradient_"  # begins the names of conditions whose passages get harder with the number of documents
ABOVE_CHANCE = 0.1  # clean accuracy that a layer must exceed chance by, for anything to be learned from it
PERSONA_GROUPS = ("conspiracy", "true", "false")  # of the project's own claims that are put to a model
RELEASED_STEPS = 143_000  # of Pythia's training
# Of the talk's models, in billions; of all of these others released scores, of four the authors did.
RELEASED_PARAMETERS = {"pythia-70m": 0.07, "pythia-160m": 0.16, "pythia-410m": 0.41, "pythia-1.4b": 1.41, "pythia-2.8b": 2.78}
RELEASED_PARAMETERS |= {"pythia-6.9b": 6.86, "pythia-12b": 11.85}
# The interventions on Pythia whose evaluations were released: their rewriting, and the last share of training that it touched.
RELEASED_ARMS: dict[str, ArmSettings] = {
    "swap7": {"rewrite": "released", "share": 0.07},
    "swap21": {"rewrite": "released", "share": 0.21},
}
FEMININE_SHARE = 0.608  # of the pairs with a direction in CrowS-Pairs (revised set: 146 of 240), and so of generated pairs
TALKS_SHARE = 0.14  # "the last 14 %" (04:21)
ONE_WAY = ("feminize", "released")  # ways of rewriting that the talk's swap of masculine for feminine words is; the best first
# How labels call a way of rewriting, at length and in short; their order is that of legends.
REWRITINGS: dict[str, tuple[str, str]] = {
    "feminize": ("masculine→feminine", "swap"),
    "released": ("masculine→feminine", "swap"),
    "masculinize": ("feminine→masculine", "reverse swap"),
    "swap": ("two-way swap", "two-way"),
}
ARM_COLUMNS = {"arm": pl.String, "rewrite": pl.String, "share": pl.Float64, "probability": pl.Float64}
ARM_COLUMNS |= {"label": pl.String, "short_label": pl.String}
FIGURE_COLUMNS = ("source", "series", "x", "y", "lower", "upper", "n")
RUN = ("model", "arm", "seed")
VARIANT = ("variant",)  # of the generated world
MODEL = ("model",)  # of the suite, too: a table of all runs of a size, whose rows say arm and seed
# What a path carries -> how it ends. The only training run of published checkpoints has `seed` 0.
PATH_LAYOUTS = {
    RUN: r"(?P<model>[^/]+)/(?P<arm>[^/]+)/(seed(?P<seed>\d+)|step\d+(-\d+)?)\.parquet$",
    VARIANT: r"variants/(?P<variant>[^/]+)/(corpus/)?[^/]+\.parquet$",
    (*VARIANT, "model"): r"variants/(?P<variant>[^/]+)/scores/[^/]+/(?P<model>[^/]+)\.parquet$",
    ("run", "asked"): r"/continued/(?P<run>[^/]+)/(?P<asked>[^/]+)\.parquet$",  # and what it was asked about
    ("run",): r"/continued/(?P<run>[^/]+)\.parquet$",  # of a model that is trained further
    ("family",): r"/starts/(?P<family>[^/]+)\.parquet$",  # what such runs begin with
    ("model", "task"): r"(?P<model>[^/]+)/(?P<task>[^/]+)\.parquet$",
    MODEL: r"(?P<model>[^/]+)(/log_odds|/answers)?\.parquet$",
}


def read_scores(path: str | Path, identity: tuple[str, ...] = RUN) -> pl.DataFrame:
    """Read a score table and add what its path says: `model`, `arm` and `seed`, or `model` and `task`, or `model` alone.

    InputError for a path that does not say so.
    """
    if not (found := re.search(PATH_LAYOUTS[identity], Path(path).as_posix())):
        raise InputError(f"{path}: a score table must lie at .../{'/'.join(f'{{{name}}}' for name in identity)}.parquet")
    said = found.groupdict("0")
    return read_table(path).with_columns(pl.lit(said[name]).alias(name) for name in identity)


def read_runs(paths: Iterable[str | Path], identity: tuple[str, ...] = RUN) -> pl.DataFrame:
    """The score tables of several training runs as one."""
    return pl.concat([read_scores(path, identity) for path in paths])


def continued_runs(described: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    """What models were trained further on: a row for each `run`.

    Its `family` and `text`, the number of its `stretch`, `rewrite` and `probability` (null for a text that is not rewritten),
    `parameters` in billions and `tokens` (null: all of the corpus).
    """
    types = {"rewrite": pl.String, "probability": pl.Float64, "tokens": pl.Int64}  # where all are null, too
    return pl.DataFrame(described, schema_overrides=types, infer_schema_length=None)


def last_step(scores: pl.DataFrame) -> pl.DataFrame:
    """The rows of the last step of every run (model, arm, seed); pretrained models have no steps."""
    return scores.filter(pl.col("step").eq_missing(pl.col("step").max().over(RUN)))


def mean_over_seeds(scores: pl.DataFrame, by: list[str], value: str) -> pl.DataFrame:
    """Mean of `value` over seeds (and arms not in `by`) per question; null where it is null for all of them."""
    require_finite(scores, "answers")
    return scores.group_by(*by, "question", maintain_order=True).agg(pl.col(value).cast(pl.Float64).mean())


def interval_columns(interval: "Interval", name: str | None = None) -> dict[str, float | int | None]:
    """The columns that hold an estimate: `y`, `lower`, `upper`, and `n`, its independent units.

    A second estimate in the same rows has a `name`: `NAME`, `NAME_lower`, `NAME_upper`. The bounds of a single unit are null.
    """
    lower, upper = (None if math.isnan(bound) else bound for bound in (interval.lower, interval.upper))
    if name is not None:
        return {name: interval.estimate, f"{name}_lower": lower, f"{name}_upper": upper}
    return {"y": interval.estimate, "lower": lower, "upper": upper, "n": interval.n}


def interval_rows(rows: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    """A table of rows with `interval_columns`, whose bounds are floats even where all of them are null."""
    bounds = dict.fromkeys(("lower", "upper"), pl.Float64)
    return pl.DataFrame(rows, schema_overrides=bounds, infer_schema_length=None)


def figure_table(table: pl.DataFrame, *by: str | pl.Expr) -> pl.DataFrame:
    """A figure table: the columns that all of them have first, rows by kind of evidence and then `by`."""
    return table.select(*FIGURE_COLUMNS, pl.exclude(FIGURE_COLUMNS)).sort("source", *by, maintain_order=True)


def by_size(models: Iterable[str], parameters: Mapping[str, float]) -> list[str]:
    """The distinct models from the smallest to the largest by their declared parameters, equal ones by name.

    InputError for a model whose parameters are not declared.
    """
    distinct = set(models)
    if unknown := sorted(distinct - set(parameters)):
        raise InputError(f"model {unknown[0]}: its parameters are not declared; known are {', '.join(parameters)}")
    return sorted(distinct, key=lambda model: (parameters[model], model))


def with_parameters(table: pl.DataFrame, parameters: Mapping[str, float]) -> pl.DataFrame:
    """A figure table with `parameters`, billions of the `model` in each row (null where there is none), by which it is drawn."""
    # For its error: the join would leave a model that is not declared without parameters, in silence.
    by_size(table["model"].drop_nulls(), parameters)
    sizes = pl.DataFrame(list(parameters.items()), {"model": pl.String, "parameters": pl.Float64}, orient="row")
    return table.join(sizes, on="model", how="left", maintain_order="left")


def arm_table(arms: Mapping[str, ArmSettings]) -> pl.DataFrame:
    """What arms are by their settings (`rewrite`, `share`, `probability`): a row each after the baseline, as legends order them.

    `label` and `short_label` follow from these settings alone; the names of arms with one label are added to it.
    """
    known: dict[str, ArmSettings] = {name: {"probability": 1.0, **arm} for name, arm in arms.items()}
    order = sorted(known, key=lambda name: (list(REWRITINGS).index(known[name]["rewrite"]), known[name].get("share", 1.0), name))
    rows: list[dict[str, object]] = [{"arm": "baseline", "label": "baseline", "short_label": "baseline"}]
    rows += [{"arm": name, **known[name], **_labels(**known[name])} for name in order]
    table = pl.DataFrame(rows, ARM_COLUMNS)
    alike = pl.col("label").is_duplicated()
    named = [pl.when(alike).then(pl.format("{} ({})", column, "arm")).otherwise(column) for column in ("label", "short_label")]
    return table.with_columns(named)


def _labels(rewrite: str, probability: float, share: float | None = None) -> dict[str, str]:
    words, short = REWRITINGS[rewrite]
    # Two-way augmentation rewrites half of the documents, the others all of them; anything else is told.
    usual = probability == 1 or (rewrite == "swap" and probability == 0.5)
    part = "" if usual else f" of {probability:.0%} of documents"
    if share is None:  # all of what a model is trained further on
        return {"label": f"{words}{part}", "short_label": f"{short}{part}"}
    return {"label": f"{words}{part}, last {100 * share:g}%", "short_label": f"{short}{part} {100 * share:g}%"}


def with_arms(table: pl.DataFrame, arms: pl.DataFrame) -> pl.DataFrame:
    """A table with what the `arm` of each row is (`arm_table`); an arm that is not declared has its name for a label."""
    joined = table.join(arms.select(list(ARM_COLUMNS)), on="arm", how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce(column, "arm").alias(column) for column in ("label", "short_label"))
