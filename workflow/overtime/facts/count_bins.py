"""Accuracy by bins of document counts, each bin with its interval over independent units."""

import numpy as np
import polars as pl

from overtime import FEW_COUNTS, InputError
from overtime.facts.clustered_share import clustered_share
from overtime.files import require_finite

GREATEST = 2**63 - 1  # count that a table can hold


def with_bins(table: pl.DataFrame, factor: int, fewest: int) -> pl.DataFrame:
    """Counted answers with the bin of their question, `bin_low` to `bin_high`; null for a question whose count is not known.

    Bins are those of the questions of a set, the same for all of its models and conditions, and for whatever is averaged in them.
    Counts too few for a logarithmic axis have those of `FEW_COUNTS`.
    """
    require_finite(table, "answers")
    parts = table.partition_by("set", "corpus", "counted", maintain_order=True)
    unbinned = table.clear().with_columns(pl.lit(None, pl.Int64).alias(name) for name in ("bin_low", "bin_high"))
    return pl.concat([unbinned, *(_with_bins(part, factor, fewest) for part in parts)])


def by_bin(binned: pl.DataFrame, by: list[str], value: str) -> pl.DataFrame:
    """Mean of `value` for every bin of every group: `x`, `y`, `lower`, `upper`, `n` (questions), `units`, `bin_low`, `bin_high`.

    Intervals are over the `unit` that questions belong to, of which there are `units`: see `clustered_share`.
    """
    edges = ["bin_low", "bin_high"]
    count, n = pl.col("count"), pl.len().cast(pl.Int64)
    few = pl.col("counted").first().is_in(list(FEW_COUNTS))
    x = pl.when(few).then(count.mean()).otherwise(count.log().mean().exp())
    bins = binned.group_by(*by, *edges, maintain_order=True).agg(value, "unit", x=x, y=pl.col(value).mean(), n=n)
    intervals = [clustered_share(*row) for row in bins.select(value, "unit").iter_rows()]
    columns = {"lower": pl.Float64, "upper": pl.Float64, "units": pl.Int64}
    bounds = pl.DataFrame([(i.lower, i.upper, i.n) for i in intervals], columns, orient="row")
    return bins.select(*by, *edges, "x", "y", "n").hstack(bounds)


def bin_edges(counts: np.ndarray, factor: int) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest count (inclusive) of every count's bin: 0, 1 to factor - 1, factor to factor^2 - 1, ..."""
    if factor < 2:
        raise InputError(f"count bins: factor is {factor}; need 2 or more")
    lows = [1]
    while lows[-1] * factor <= counts.max(initial=1):
        lows.append(lows[-1] * factor)
    place = np.searchsorted(lows, counts, side="right")
    return np.array([0, *lows])[place], np.array([0, *(min(low * factor - 1, GREATEST) for low in lows)])[place]


def _few_bins(counts: np.ndarray, lows: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest count of every count's bin, of bins that begin at `lows`; the last ends with the largest count."""
    place = np.searchsorted(lows, counts, side="right") - 1
    highs = [*(low - 1 for low in lows[1:]), max(lows[-1], counts.max(initial=0))]
    return np.array(lows)[place], np.array(highs)[place]


def _with_bins(table: pl.DataFrame, factor: int, fewest: int) -> pl.DataFrame:
    """Add `bin_low` and `bin_high`."""
    values = table["count"].fill_null(0).to_numpy()
    known = table.drop_nulls("count").unique("question")["count"].sort().to_numpy()
    lows = FEW_COUNTS.get(table["counted"][0])
    starts, ends = _few_bins(values, lows) if lows else _merged_bins(values, known[known > 0], factor, fewest)
    bins = pl.Series("bin_low", starts), pl.Series("bin_high", ends)
    return table.with_columns(pl.when(pl.col("count").is_not_null()).then(edge).alias(edge.name) for edge in bins)


def _merged_bins(values: np.ndarray, mentioned: np.ndarray, factor: int, fewest: int) -> tuple[np.ndarray, np.ndarray]:
    """The bin of every value; facts that are never mentioned keep a bin of their own."""
    starts, ends = bin_edges(values, factor)
    if few := min(fewest, len(mentioned)):
        low, high = bin_edges(mentioned, factor)
        lowest, highest = high[few - 1], low[-few]  # the lowest bin of mentioned facts ends here, the highest starts here
        if lowest >= highest:
            lowest = high[-1]  # the ends meet: one bin of all mentioned facts
        in_lowest = (values > 0) & (values <= lowest)
        in_highest = (values >= highest) & ~in_lowest
        starts = np.select([in_lowest, in_highest], [low[0], highest], starts)
        ends = np.select([in_lowest, in_highest], [lowest, high[-1]], ends)
    return starts, ends
