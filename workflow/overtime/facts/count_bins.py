"""Accuracy by bins of document counts, each bin with its interval."""

import numpy as np
import polars as pl

from overtime import InputError
from overtime.statistics import wilson
from overtime.tables import interval_columns


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
    # Averaged seeds are rounded to whole questions, the estimates themselves are not.
    intervals = [interval_columns(wilson(round(y * n), n)) for y, n in rows.select("y", "n").iter_rows()]
    return rows.with_columns(pl.Series(name, [i[name] for i in intervals], pl.Float64) for name in ("lower", "upper"))


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
        lowest, highest = high[-1], high[-1] + 1  # the ends meet: one bin of all mentioned facts
    values = table["count"].to_numpy()
    starts, ends = bin_edges(values, factor)
    in_lowest, in_highest = (values > 0) & (values <= lowest), values >= highest
    starts = np.select([in_lowest, in_highest], [low[0], highest], starts)
    ends = np.select([in_lowest, in_highest], [lowest, high[-1]], ends)
    return table.with_columns(bin_low=pl.Series(starts), bin_high=pl.Series(ends))
