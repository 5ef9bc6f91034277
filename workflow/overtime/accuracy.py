"""Accuracy by how often the training data state the fact: the tables of figures 3 and 5.

Both are made from answers in one form, a row per model, condition and question: `set`, `corpus`, `counted`, `model`, `condition`,
`question`, `unit` (what is independent: an entity of the suite, else the question), `correct`, `hit` (shares, the mean over
seeds) and `count`. `counted` says what `count` counts; `corpus` names the corpus whose documents were counted, null where a
stated proxy stands in for them or nothing is known.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import polars as pl

from overtime import InputError
from overtime.facts import average, last_step, ordered
from overtime.stats import bootstrap, wilson
from overtime.weighted import spearman_of

SUITE = "suite"  # the generated questions, as the name of a set and of the corpus that they were counted in
DOCUMENTS = "relevant documents in {}"
KEY = ["set", "corpus", "counted", "model"]
FIELDS = [*KEY, "condition", "question", "unit", "correct", "hit", "count"]
ANSWERED = {"set": pl.String, "model": pl.String, "condition": pl.String, "question": pl.Int64} | {
    "correct": pl.Boolean,
    "hit": pl.Boolean,
}
ASKED = {"set": pl.String, "question": pl.Int64, "count": pl.Int64, "proxy": pl.String, "human": pl.Float64}
COUNTED = {"set": pl.String, "corpus": pl.String, "question": pl.Int64, "count": pl.Int64}
RARE = 99  # "single digits or double digits" (06:09)
SPOKEN = pl.DataFrame(
    [
        ("176B average (06:20)", None, 0.55, None, None, None, None),
        ("176B rare facts (06:28)", RARE**0.5, 0.275, 0.25, 0.30, 1, RARE),
    ],
    ["series", "x", "y", "lower", "upper", "bin_low", "bin_high"],
    orient="row",
).with_columns(source=pl.lit("spoken"), model=pl.lit("176B"))


def suite_answers(scores: Iterable[pl.DataFrame], questions: pl.DataFrame, counts: pl.DataFrame) -> pl.DataFrame:
    """Answers of the suite after the last step of every run, averaged over seeds.

    scores: tables of one arm, with `condition` and `hit` or closed book; questions: `question`, `entity`; counts: `question`,
    `count`. Raises InputError for a question without a count.
    """
    table = last_step(scores)
    if "condition" not in table.columns:
        table = table.with_columns(condition=pl.lit("closed_book"), hit=pl.lit(None, pl.Boolean))
    by = ["model", "condition"]
    table = average(table, by, "correct").join(average(table, by, "hit"), on=[*by, "question"], maintain_order="left")
    table = table.join(counts.select("question", "count"), on="question", how="left", maintain_order="left")
    lost = table.filter(pl.col("count").is_null())["question"].unique().sort()
    if len(lost):
        raise InputError(f"counts: no count for {len(lost)} questions, the first being question {lost[0]}")
    table = table.join(questions.select("question", unit="entity"), on="question", how="left", maintain_order="left")
    identity = {"set": pl.lit(SUITE), "corpus": pl.lit(SUITE), "counted": pl.lit(DOCUMENTS.format("the training data"))}
    return table.with_columns(**identity).select(FIELDS)


def set_answers(
    answers: Iterable[pl.DataFrame],
    questions: Iterable[pl.DataFrame],
    counts: Iterable[pl.DataFrame],
    corpora: Mapping[str, str | None],
) -> pl.DataFrame:
    """Answers of pretrained models to question sets, and of people where a set has annotators (`model` null).

    Tables have the columns of `ANSWERED`, `ASKED` and `COUNTED`, one or more for a set; corpora: the corpus of each model. The
    count is that of the model's corpus; where there is none, the set's own proxy; else null.
    """
    shown, asked, known = (_all(*tables) for tables in ((answers, ANSWERED), (questions, ASKED), (counts, COUNTED)))
    corpus = pl.DataFrame(list(corpora.items()), {"model": pl.String, "corpus": pl.String}, orient="row")
    shown = shown.join(corpus, on="model", how="left", maintain_order="left")
    people = asked.drop_nulls("human").select("set", "question", condition=pl.lit("human"), correct="human")
    panels = shown.select("set", "corpus").unique(maintain_order=True)  # people are drawn in every panel of their set
    rows = pl.concat([shown, people.join(panels, on="set", maintain_order="left")], how="diagonal_relaxed")
    rows = rows.join(known.rename({"count": "documents"}), on=["set", "corpus", "question"], how="left", maintain_order="left")
    rows = rows.join(asked.drop("human"), on=["set", "question"], how="left", maintain_order="left")
    mapped = pl.col("documents").is_not_null()
    return rows.with_columns(
        corpus=pl.when(mapped).then("corpus"),
        counted=pl.when(mapped).then(pl.format(DOCUMENTS, "corpus")).otherwise("proxy"),
        count=pl.coalesce("documents", "count"),
        unit=pl.col("question").cast(pl.String),
        correct=pl.col("correct").cast(pl.Float64),
        hit=pl.col("hit").cast(pl.Float64),
    ).select(FIELDS)


def _all(tables: Iterable[pl.DataFrame], schema: dict[str, pl.DataType]) -> pl.DataFrame:
    return pl.concat([pl.DataFrame(schema=schema), *(table.select(list(schema)) for table in tables)], how="vertical_relaxed")


def accuracy_by_count(
    answers: pl.DataFrame, factor: int = 2, fewest: int = 1, resamples: int = 2000, seed: int = 0
) -> pl.DataFrame:
    """Closed-book accuracy by count (fig3), with Wilson intervals and the trend of every curve.

    factor: ratio of neighbouring bin edges; fewest: bins at either end are merged until they hold this many questions.
    Returns `source`, `series`, `set`, `corpus`, `counted`, `model`, `x` (geometric mean count of the bin, 0 in the bin of
    unmentioned facts), `y`, `lower`, `upper`, `n` (questions), `bin_low`, `bin_high` (inclusive), and on every row of a curve
    `trend`, `trend_lower`, `trend_upper`: the rank correlation of count and correctness, with a bootstrap interval over units.
    """
    table = answers.filter(pl.col("condition") == "closed_book", pl.col("count").is_not_null())
    rows = by_bin(table, KEY, "correct", factor, fewest)
    rows = rows.join(_trends(table, resamples, seed), on=KEY, nulls_equal=True, maintain_order="left")
    return ordered(rows.with_columns(source=pl.lit("measured"), series=pl.col("model")), "set", "model", "bin_low", "bin_high")


def retrieval_table(answers: pl.DataFrame, factor: int = 2, fewest: int = 1) -> pl.DataFrame:
    """Accuracy by condition and count (fig5), with Wilson intervals; one row for a condition of a set without counts.

    Returns the columns of `accuracy_by_count` but the trend, `condition` ("human" for people, whose `model` is null), and the
    share of questions whose own passage was shown: `hit`, `hit_lower`, `hit_upper` (null where no passage is).
    """
    by = [*KEY, "condition"]
    rows = by_bin(answers, by, "correct", factor, fewest)
    hits = by_bin(answers.drop_nulls("hit"), by, "hit", factor, fewest)
    hits = hits.select(*by, "bin_low", hit="y", hit_lower="lower", hit_upper="upper")
    rows = rows.join(hits, on=[*by, "bin_low"], how="left", nulls_equal=True, maintain_order="left")
    series = pl.concat_str("model", "condition", separator=" ", ignore_nulls=True)
    return ordered(rows.with_columns(source=pl.lit("measured"), series=series), *by, "bin_low", "bin_high")


def by_bin(table: pl.DataFrame, by: list[str], value: str, factor: int, fewest: int) -> pl.DataFrame:
    """Mean of `value` for every count bin of every group: `x`, `y`, `lower`, `upper`, `n`, `bin_low`, `bin_high`.

    Bins are those of the questions of a set, the same for all of its models and conditions.
    """
    binned = [_with_bins(part, factor, fewest) for part in table.partition_by("set", "corpus", "counted", maintain_order=True)]
    edges = {"bin_low": pl.Int64, "bin_high": pl.Int64}
    bins = pl.concat(binned) if binned else table.with_columns(pl.lit(None, kind).alias(name) for name, kind in edges.items())
    rows = bins.group_by(*by, *edges, maintain_order=True).agg(
        x=pl.col("count").log().mean().exp(), y=pl.col(value).mean(), n=pl.len()
    )
    intervals = [wilson(round(y * n), n) for y, n in rows.select("y", "n").iter_rows()]  # averaged seeds: to whole questions
    bounds = {"lower": [i.lower for i in intervals], "upper": [i.upper for i in intervals]}
    return rows.with_columns(pl.Series(name, values, pl.Float64) for name, values in bounds.items())


def bin_edges(counts: np.ndarray, factor: int) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest count (inclusive) of every count's bin: 0, 1 to factor - 1, factor to factor^2 - 1, ..."""
    if factor < 2:
        raise InputError(f"count bins: factor is {factor}; need 2 or more")
    powers = [1]
    while powers[-1] <= counts.max(initial=1):
        powers.append(powers[-1] * factor)
    place = np.searchsorted(powers, counts, side="right")
    return np.array([0, *powers])[place], np.array([1, *powers[1:], 0])[place] - 1


def _with_bins(table: pl.DataFrame, factor: int, fewest: int) -> pl.DataFrame:
    """Add `bin_low` and `bin_high`; facts that are never mentioned keep a bin of their own."""
    if table["count"].null_count():
        return table.with_columns(bin_low=pl.lit(None, pl.Int64), bin_high=pl.lit(None, pl.Int64))
    distinct = np.sort(table.unique("question")["count"].to_numpy())
    mentioned = distinct[distinct > 0] if distinct[-1] else distinct
    few = min(fewest, len(mentioned))
    low, high = bin_edges(mentioned, factor)
    lowest, highest = high[few - 1], low[-few]  # the lowest bin of mentioned facts ends here, the highest starts here
    if lowest >= highest:
        lowest, highest = high[-1], high[-1] + 1
    values = table["count"].to_numpy()
    starts, ends = bin_edges(values, factor)
    in_lowest, in_highest = (values > 0) & (values <= lowest), values >= highest
    starts = np.select([in_lowest, in_highest], [low[0], highest], starts)
    ends = np.select([in_lowest, in_highest], [lowest, high[-1]], ends)
    return table.with_columns(bin_low=pl.Series(starts), bin_high=pl.Series(ends))


def _trends(table: pl.DataFrame, resamples: int, seed: int) -> pl.DataFrame:
    rows = []
    for key, part in table.group_by(KEY, maintain_order=True):
        statistic = spearman_of(part["count"].to_numpy(), part["correct"].to_numpy())
        trend = bootstrap(statistic, part["unit"].to_numpy(), resamples, seed).interval()
        rows.append((*key, trend.estimate, trend.lower, trend.upper))
    kinds = dict.fromkeys(KEY, pl.String) | dict.fromkeys(("trend", "trend_lower", "trend_upper"), pl.Float64)
    return pl.DataFrame(rows, kinds, orient="row")
