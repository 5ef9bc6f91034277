"""Factual questions: matching answers, and accuracy against the number of documents, of inserted documents and with retrieval.

Score tables hold a row per question (`model`, `arm`, `seed`, `question`, `correct`, ...). Seeds are averaged first: the question
is the independent unit, and for inserted facts the entity, because documents are inserted per entity.
"""

import re
import string
from collections.abc import Iterable, Sequence

import numpy as np
import polars as pl

from overtime import InputError
from overtime.stats import Interval, bootstrap, wilson
from overtime.weighted import mean_of

ARTICLES = re.compile(r"\b(a|an|the)\b")
PUNCTUATION = str.maketrans("", "", string.punctuation)
RUN = ["model", "arm", "seed"]
RARE = 99  # "single digits or double digits" (06:09)
SPOKEN = pl.DataFrame(
    [
        ("176B average (06:20)", None, 0.55, None, None, None, None),
        ("176B rare facts (06:28)", RARE**0.5, 0.275, 0.25, 0.30, 1, RARE),
    ],
    ["series", "x", "y", "lower", "upper", "bin_low", "bin_high"],
    orient="row",
).with_columns(source=pl.lit("spoken"), model=pl.lit("176B"))


def normalize(text: str) -> str:
    """SQuAD's answer normalisation (Rajpurkar et al. 2016): lower case, no ASCII punctuation, no articles, white space folded."""
    return " ".join(ARTICLES.sub(" ", text.lower().translate(PUNCTUATION)).split())


def exact_match(prediction: str, answers: Sequence[str]) -> bool:
    """Whether the normalised prediction equals any normalised answer; False without answers."""
    return normalize(prediction) in {normalize(answer) for answer in answers}


def accuracy_by_count(scores: Iterable[pl.DataFrame], counts: pl.DataFrame, factor: int = 2, fewest: int = 1) -> pl.DataFrame:
    """Accuracy after the last step of every model by number of relevant documents (fig3), with Wilson intervals.

    scores: closed-book tables of one arm; counts: `question`, `count`; factor: ratio of neighbouring bin edges;
    fewest: highest bins are merged until they hold this many questions.
    Returns `source`, `series`, `model`, `x` (geometric mean count of the bin, 0 in the bin of unmentioned facts), `y`, `lower`,
    `upper`, `n` (questions), `bin_low`, `bin_high` (inclusive), and the talk's spoken values. Raises InputError for a question
    without a count.
    """
    questions = _average(_last_step(scores), ["model"], "correct")
    rows = _by_bin(questions, counts, ["model"], factor, fewest).with_columns(source=pl.lit("measured"), series=pl.col("model"))
    return _ordered(pl.concat([rows, SPOKEN], how="diagonal_relaxed"), "model", "bin_low", "bin_high")


def retrieval_table(scores: Iterable[pl.DataFrame], counts: pl.DataFrame, factor: int = 2, fewest: int = 1) -> pl.DataFrame:
    """Accuracy by condition and number of relevant documents (fig5), with Wilson intervals.

    scores: passage tables (`condition`, `hit`). Returns the columns of `accuracy_by_count`, `condition`, and the share of
    questions whose answer passage was shown: `hit`, `hit_lower`, `hit_upper` (null where no passage is).
    """
    table = pl.concat(scores, how="diagonal_relaxed")
    by = ["model", "condition"]
    rows = _by_bin(_average(table, by, "correct"), counts, by, factor, fewest)
    hits = _by_bin(_average(table.drop_nulls("hit"), by, "hit").rename({"hit": "correct"}), counts, by, factor, fewest)
    hits = hits.select(*by, "bin_low", hit="y", hit_lower="lower", hit_upper="upper")
    rows = rows.join(hits, on=[*by, "bin_low"], how="left")
    rows = rows.with_columns(source=pl.lit("measured"), series=pl.format("{} {}", *by))
    return _ordered(rows, *by, "bin_low", "bin_high")


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
    return _ordered(table, "placement", "model", "group", "x", pl.col("when") == "after")


def bin_edges(counts: np.ndarray, factor: int) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest count (inclusive) of every count's bin: 0, 1 to factor - 1, factor to factor^2 - 1, ..."""
    if factor < 2:
        raise InputError(f"count bins: factor is {factor}; need 2 or more")
    powers = [1]
    while powers[-1] <= counts.max(initial=1):
        powers.append(powers[-1] * factor)
    place = np.searchsorted(powers, counts, side="right")
    return np.array([0, *powers])[place], np.array([1, *powers[1:], 0])[place] - 1


def _paired(
    before: Iterable[pl.DataFrame], after: Iterable[pl.DataFrame], entities: pl.DataFrame, targets: pl.DataFrame
) -> pl.DataFrame:
    """One row per model, placement and question answered both before and after."""
    base = _average(_last_step(before), ["model"], "correct").rename({"correct": "before"})
    changed = _average(_last_step(after), ["model", "arm"], "correct").rename({"correct": "after"})
    paired = changed.join(base, on=["model", "question"]).join(entities, on="question").join(targets, on="entity", how="left")
    if paired.is_empty():
        raise InputError("insertion: no question was answered by the same model both before and after")
    return paired.with_columns(
        placement=pl.col("arm").str.strip_prefix("insert_"),
        group=pl.when(pl.col("inserted").is_null()).then(pl.lit("other")).otherwise(pl.lit("target")),
        x=pl.col("inserted").fill_null(0),
    )


def _last_step(scores: Iterable[pl.DataFrame]) -> pl.DataFrame:
    table = pl.concat(scores, how="diagonal_relaxed")
    return table.filter(pl.col("step").eq_missing(pl.col("step").max().over(RUN)))


def _average(table: pl.DataFrame, by: list[str], value: str) -> pl.DataFrame:
    """Mean over seeds (and arms not in `by`) per question."""
    return table.group_by(*by, "question", maintain_order=True).agg(pl.col(value).cast(pl.Float64).mean())


def _with_count(table: pl.DataFrame, counts: pl.DataFrame) -> pl.DataFrame:
    joined = table.join(counts.select("question", "count"), on="question", how="left")
    lost = joined.filter(pl.col("count").is_null())["question"].unique().sort()
    if len(lost):
        raise InputError(f"counts: no count for {len(lost)} questions, the first being question {lost[0]}")
    return joined


def _by_bin(questions: pl.DataFrame, counts: pl.DataFrame, by: list[str], factor: int, fewest: int) -> pl.DataFrame:
    table = _with_count(questions, counts)
    values, distinct = table["count"].to_numpy(), table.unique("question")["count"].sort(descending=True)
    top = bin_edges(distinct[: min(fewest, len(distinct))].to_numpy(), factor)[0].min()  # the highest bin starts here
    low, high = bin_edges(values, factor)
    high = np.where(low >= top, high.max(), high)
    edges = {"bin_low": pl.Series(np.minimum(low, top)), "bin_high": pl.Series(high)}
    bins = table.with_columns(**edges).group_by(*by, "bin_low", "bin_high")
    rows = bins.agg(x=pl.col("count").log().mean().exp(), y=pl.col("correct").mean(), n=pl.len())
    intervals = [wilson(round(y * n), n) for y, n in rows.select("y", "n").iter_rows()]  # averaged seeds: to whole questions
    return rows.with_columns(lower=pl.Series([i.lower for i in intervals]), upper=pl.Series([i.upper for i in intervals]))


def _bounds(interval: Interval) -> tuple[float, float, float]:
    return interval.estimate, interval.lower, interval.upper


def _ordered(table: pl.DataFrame, *by: str | pl.Expr) -> pl.DataFrame:
    first = ["source", "series", "x", "y", "lower", "upper", "n"]
    return table.select(*first, pl.exclude(first)).sort("source", *by, maintain_order=True)
