"""The table of figure 3: closed-book accuracy by how often the training data state the fact, and the trend of every curve."""

import polars as pl

from overtime.facts.count_bins import by_bin, with_bins
from overtime.facts.counted_answers import EVIDENCE, KEY, on_same_questions
from overtime.statistics import bootstrap, spearman_of, spearman_within
from overtime.tables import RARE, figure_table, interval_columns

SPOKEN = pl.DataFrame(
    [
        ("176B average (06:20)", None, 0.55, None, None, None, None),
        # Drawn in the middle of its counts on a logarithmic axis.
        ("176B rare facts (06:28)", RARE**0.5, 0.275, 0.25, 0.30, 1, RARE),
    ],
    ["series", "x", "y", "lower", "upper", "bin_low", "bin_high"],
    orient="row",
).with_columns(source=pl.lit("spoken"), model=pl.lit("176B"))


def counts_table(answers: pl.DataFrame, factor: int = 2, fewest: int = 1, resamples: int = 2000, seed: int = 0) -> pl.DataFrame:
    """Closed-book accuracy by count (fig3), with intervals over units and the trend of every curve.

    The models of a panel are compared on the questions that all of them were asked.
    factor: ratio of neighbouring bin edges; fewest: bins at either end are merged until they hold this many questions.
    Returns `source` (proxy where something stands in for documents), `series`, `set`, `corpus`, `counted`, `model`, `x` (mean count
    of the bin, see `by_bin`), `y`, `lower`, `upper`, `n` (questions), `units` (what is independent), `bin_low`, `bin_high` (inclusive),
    and on every row of a curve `trend`, `trend_lower`, `trend_upper`: the rank correlation of count and correctness, with a
    bootstrap interval over units; of questions that come in families `within`, `within_lower`, `within_upper`: the same within them.
    """
    table = answers.filter(pl.col("condition") == "closed_book", pl.col("count").is_not_null())
    table = on_same_questions(table, ["set", "corpus", "counted"], "model")
    rows = by_bin(with_bins(table, factor, fewest), KEY, "correct")
    rows = rows.join(_trends(table, resamples, seed), on=KEY, nulls_equal=True, maintain_order="left")
    return figure_table(
        rows.with_columns(source=EVIDENCE, series=pl.col("model")), "set", "model", "bin_low", "bin_high"
    )


def _trends(table: pl.DataFrame, resamples: int, seed: int) -> pl.DataFrame:
    rows = []
    for key, part in table.group_by(KEY, maintain_order=True):
        count, correct, unit, family = (part[name].to_numpy() for name in ("count", "correct", "unit", "family"))
        found = {"trend": spearman_of(count, correct)}
        if not part["family"].null_count():
            found["within"] = spearman_within(count, correct, family)
        rows.append(dict(zip(KEY, key)))
        for name, statistic in found.items():
            rows[-1] |= interval_columns(bootstrap(statistic, unit, resamples, seed).interval(), name)
    bounds = [f"{name}{end}" for name in ("trend", "within") for end in ("", "_lower", "_upper")]
    return pl.DataFrame(rows, dict.fromkeys(KEY, pl.String) | dict.fromkeys(bounds, pl.Float64))
