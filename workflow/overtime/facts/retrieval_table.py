"""The table of figure 5: accuracy closed book and with passages, by count where it is known."""

import polars as pl

from overtime.facts.count_bins import by_bin, with_bins
from overtime.facts.counted_answers import EVIDENCE, KEY, on_same_questions
from overtime.tables import figure_table


def retrieval_table(answers: pl.DataFrame, factor: int = 2, fewest: int = 1) -> pl.DataFrame:
    """Accuracy by condition and count (fig5), with intervals over units; one row for the questions of a set without counts.

    A question without a count, in a set with counts, is in a row of its own, without a bin. A model's conditions are compared on
    the questions that it was asked under all of them; people answered those that have annotators. Returns the columns of
    `counts_table` but the trend, `condition` ("human" for people, whose `model` is null), and the shares of questions with
    which a passage was shown that holds the answer, whatever it is about, and with which the own one was: `hit`, `own`, each with
    `_lower` and `_upper` (null where no passage is).
    """
    by = [*KEY, "condition"]
    binned = with_bins(on_same_questions(answers, KEY, "condition"), factor, fewest)
    rows, place = by_bin(binned, by, "correct"), [*by, "bin_low", "bin_high"]
    for shown in ("hit", "own"):
        shares = by_bin(binned.drop_nulls(shown), by, shown).rename({"y": shown, "lower": f"{shown}_lower", "upper": f"{shown}_upper"})
        columns = [*place, shown, f"{shown}_lower", f"{shown}_upper"]
        rows = rows.join(shares.select(columns), on=place, how="left", nulls_equal=True, maintain_order="left")
    series = pl.concat_str("model", "condition", separator=" ", ignore_nulls=True)
    return figure_table(rows.with_columns(source=EVIDENCE, series=series), *by, "bin_low", "bin_high")
