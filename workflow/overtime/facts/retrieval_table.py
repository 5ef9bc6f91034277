"""The table of figure 5: accuracy closed book and with passages, by count where it is known."""

import polars as pl

from overtime.facts.count_bins import by_bin, with_bins
from overtime.facts.counted_answers import KEY, on_same_questions
from overtime.tables import figure_table


def retrieval_table(answers: pl.DataFrame, factor: int = 2, fewest: int = 1) -> pl.DataFrame:
    """Accuracy by condition and count (fig5), with intervals over units; one row for the questions of a set without counts.

    A question without a count, in a set with counts, is in a row of its own, without a bin. A model's conditions are compared on
    the questions that it was asked under all of them; people answered those that have annotators. Returns the columns of
    `counts_table` but the trend, `condition` ("human" for people, whose `model` is null), and the share of questions whose own
    passage was shown: `hit`, `hit_lower`, `hit_upper` (null where no passage is).
    """
    by = [*KEY, "condition"]
    binned = with_bins(on_same_questions(answers, KEY, "condition"), factor, fewest)
    rows, hits = by_bin(binned, by, "correct"), by_bin(binned.drop_nulls("hit"), by, "hit")
    place = [*by, "bin_low", "bin_high"]
    hits = hits.select(*place, hit="y", hit_lower="lower", hit_upper="upper")
    rows = rows.join(hits, on=place, how="left", nulls_equal=True, maintain_order="left")
    series = pl.concat_str("model", "condition", separator=" ", ignore_nulls=True)
    return figure_table(rows.with_columns(source=pl.lit("measured"), series=series), *by, "bin_low", "bin_high")
