"""Factual questions: matching answers, and what inserting documents does to accuracy.

Score tables hold a row per question (`model`, `arm`, `seed`, `question`, `correct`, ...). Seeds are averaged first: the
independent unit is the entity, because documents are inserted per entity.
"""

import re
import string
from collections.abc import Iterable, Sequence

import polars as pl

from overtime import InputError
from overtime.stats import Interval, bootstrap
from overtime.weighted import mean_of

ARTICLES = re.compile(r"\b(a|an|the)\b")
PUNCTUATION = str.maketrans("", "", string.punctuation)
RUN = ["model", "arm", "seed"]


def normalize(text: str) -> str:
    """SQuAD's answer normalisation (Rajpurkar et al. 2016): lower case, no ASCII punctuation, no articles, white space folded."""
    return " ".join(ARTICLES.sub(" ", text.lower().translate(PUNCTUATION)).split())


def exact_match(prediction: str, answers: Sequence[str]) -> bool:
    """Whether the normalised prediction equals any normalised answer; False without answers."""
    return normalize(prediction) in {normalize(answer) for answer in answers}


def insertion_table(
    before: Iterable[pl.DataFrame],
    after: Iterable[pl.DataFrame],
    questions: pl.DataFrame,
    targets: pl.DataFrame,
    resamples: int = 2000,
    seed: int = 0,
) -> pl.DataFrame:
    """Accuracy before and after inserting documents, by number inserted (fig4), with bootstrap intervals over entities.

    before: closed-book tables of the arm without insertion; after: those of arms "insert_<placement>"; last steps are compared.
    questions: `question`, `entity`; targets: `entity`, `inserted` (0 for controls). All other entities form the group "other".
    Returns `source`, `series`, `model`, `placement`, `group`, `when`, `x` (documents inserted), `y`, `lower`, `upper`, `n`
    (entities), and on "after" rows the paired gain: `gain`, `gain_lower`, `gain_upper`.
    """
    paired = _paired(before, after, questions.select("question", "entity"), targets.select("entity", "inserted"))
    rows = []
    for key, part in paired.group_by("model", "placement", "group", "x", maintain_order=True):
        values = [(part["before"], (0, 1)), (part["after"], (0, 1)), (part["after"] - part["before"], (-1, 1))]
        first, second, gain = (
            bootstrap(mean_of(column), part["entity"], resamples, seed, limits).interval() for column, limits in values
        )
        rows.append((*key, "before", *_bounds(first), first.n, None, None, None))
        rows.append((*key, "after", *_bounds(second), second.n, *_bounds(gain)))
    names = ["model", "placement", "group", "x", "when", "y", "lower", "upper", "n", "gain", "gain_lower", "gain_upper"]
    table = pl.DataFrame(rows, names, orient="row", infer_schema_length=None)
    table = table.with_columns(source=pl.lit("measured"), series=pl.format("{} {} {}", "model", "placement", "group"))
    return ordered(table, "placement", "model", "group", "x", pl.col("when") == "after")


def _paired(
    before: Iterable[pl.DataFrame], after: Iterable[pl.DataFrame], entities: pl.DataFrame, targets: pl.DataFrame
) -> pl.DataFrame:
    """One row per model, placement and question answered both before and after."""
    base = average(last_step(before), ["model"], "correct").rename({"correct": "before"})
    changed = average(last_step(after), ["model", "arm"], "correct").rename({"correct": "after"})
    paired = changed.join(base, on=["model", "question"], maintain_order="left")
    paired = paired.join(entities, on="question", maintain_order="left")
    paired = paired.join(targets, on="entity", how="left", maintain_order="left")
    if paired.is_empty():
        raise InputError("insertion: no question was answered by the same model both before and after")
    return paired.with_columns(
        placement=pl.col("arm").str.strip_prefix("insert_"),
        group=pl.when(pl.col("inserted").is_null()).then(pl.lit("other")).otherwise(pl.lit("target")),
        x=pl.col("inserted").fill_null(0),
    )


def last_step(scores: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """The rows of every run's last step, of all tables together; pretrained models have none."""
    table = pl.concat(scores, how="diagonal_relaxed")
    return table.filter(pl.col("step").eq_missing(pl.col("step").max().over(RUN)))


def average(table: pl.DataFrame, by: list[str], value: str) -> pl.DataFrame:
    """Mean over seeds (and arms not in `by`) per question."""
    return table.group_by(*by, "question", maintain_order=True).agg(pl.col(value).cast(pl.Float64).mean())


def _bounds(interval: Interval) -> tuple[float, float, float]:
    return interval.estimate, interval.lower, interval.upper


def ordered(table: pl.DataFrame, *by: str | pl.Expr) -> pl.DataFrame:
    """A figure table: the columns that all of them have first, rows by kind of evidence and then `by`."""
    first = ["source", "series", "x", "y", "lower", "upper", "n"]
    return table.select(*first, pl.exclude(first)).sort("source", *by, maintain_order=True)
