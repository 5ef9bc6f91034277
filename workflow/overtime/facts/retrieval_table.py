"""The table of figure 5: accuracy closed book and with passages, by count where it is known."""

import polars as pl

from overtime.facts.count_bins import by_bin
from overtime.facts.counted_answers import KEY
from overtime.tables import figure_table


def retrieval_table(answers: pl.DataFrame, factor: int = 2, fewest: int = 1) -> pl.DataFrame:
    """Accuracy by condition and count (fig5), with Wilson intervals; one row for a condition of a set without counts.

    In a set with counts, a question without one is left out.

    Returns the columns of `counts_table` but the trend, `condition` ("human" for people, whose `model` is null), and the
    share of questions whose own passage was shown: `hit`, `hit_lower`, `hit_upper` (null where no passage is).
    """
    by, unknown = [*KEY, "condition"], pl.col("count").is_null()
    answers = answers.filter(~unknown | unknown.all().over("set", "corpus", "counted"))
    rows = by_bin(answers, by, "correct", factor, fewest)
    hits = by_bin(answers.drop_nulls("hit"), by, "hit", factor, fewest)
    hits = hits.select(*by, "bin_low", hit="y", hit_lower="lower", hit_upper="upper")
    rows = rows.join(hits, on=[*by, "bin_low"], how="left", nulls_equal=True, maintain_order="left")
    series = pl.concat_str("model", "condition", separator=" ", ignore_nulls=True)
    return figure_table(rows.with_columns(source=pl.lit("measured"), series=series), *by, "bin_low", "bin_high")
