"""Item by item: a run's margins of WinoBias sentences against those of the same models that others scored.

The sentences, their layout and the measure are the same (`winobias_forms`), so that all margins must agree but for rounding.
"""

from collections.abc import Mapping

import numpy as np
import polars as pl

from overtime import InputError
from overtime.files import require_finite, require_unique

# Between what rounding does and what another model is: the margins of SmolLM2-135M in bfloat16 and in float32 have a correlation
# of 0.998 and differ by 0.06 nats in the median; those of the two most alike of others' models, 0.988 and 0.18 nats.
FEWEST_CORRELATION, MOST_MEDIAN = 0.99, 0.1
COMPARISON = {"model": pl.String, "independent": pl.String, "n": pl.Int64, "correlation": pl.Float64}
COMPARISON |= {"largest_difference": pl.Float64, "median_difference": pl.Float64, "same_sign": pl.Float64, "agrees": pl.Boolean}


def independent_check(scores: Mapping[str, pl.DataFrame], names: Mapping[str, str], independent: pl.DataFrame) -> pl.DataFrame:
    """A row for each run's model: `model`, `independent` (what others call it) and how far their margins agree.

    `scores` are tables of `winobias_forms`, of which the last step counts, by what the run calls them; `names` what others do;
    `independent` is resources/released/independent_winobias.csv. `n` (sentences, 0 where WinoBias could not be had),
    `correlation`, `largest_difference` and `median_difference` (absolute, in nats), `same_sign` (a share), and `agrees`: whether
    correlation and median difference are within the tolerance.
    """
    require_unique(independent, ["sentence"], "scores by others")
    rows = [
        {"model": model, "independent": names[model]}
        | _agreement(model, own, independent.select("sentence", theirs=names[model]))
        for model, own in scores.items()
    ]
    return pl.DataFrame(rows, COMPARISON, orient="row")


def disagreements(table: pl.DataFrame) -> list[str]:
    """A line for each model that does not agree, or was not compared."""
    lines = []
    for row in table.filter(~pl.col("agrees").fill_null(False)).iter_rows(named=True):
        if row["n"]:
            correlation = "none" if row["correlation"] is None else f"{row['correlation']:.4f}"
            lines.append(
                f"{row['model']}: its {row['n']} WinoBias margins are not those of {row['independent']} by others: correlation"
                f" {correlation} (at least {FEWEST_CORRELATION}), median difference {row['median_difference']:.3f} nats"
                f" (at most {MOST_MEDIAN})"
            )
        else:
            lines.append(f"{row['model']}: not compared with {row['independent']} by others: WinoBias could not be had")
    return lines


def agreements(table: pl.DataFrame) -> list[str]:
    """A line for each model that agrees."""
    return [
        f"{row['model']}: its {row['n']} WinoBias margins are those of {row['independent']} by others: correlation"
        f" {row['correlation']:.4f}, median difference {row['median_difference']:.3f} nats"
        for row in table.filter("agrees").iter_rows(named=True)
    ]


def _agreement(model: str, own: pl.DataFrame, theirs: pl.DataFrame) -> dict[str, float | bool | None]:
    if own.is_empty():
        return {"n": 0}
    require_finite(own, f"{model}: scores of WinoBias forms")
    last = own.filter(pl.col("step") == pl.col("step").max()) if "step" in own.columns else own
    require_unique(last, ["sentence"], f"{model}: scores of WinoBias forms")
    both = last.select("sentence", own=pl.col("ll_more") - pl.col("ll_less")).join(theirs, on="sentence")
    if not len(both) == len(last) == len(theirs):
        raise InputError(
            f"{model}: {len(last)} WinoBias sentences are scored, {len(theirs)} by others, and {len(both)} of them are the same"
        )
    margins, others = both["own"].to_numpy(), both["theirs"].to_numpy()
    difference = np.abs(margins - others)
    varies = np.ptp(margins) > 0 and np.ptp(others) > 0
    correlation = float(np.corrcoef(margins, others)[0, 1]) if varies else None
    median = float(np.median(difference))
    return {
        "n": len(both),
        "correlation": correlation,
        "largest_difference": float(difference.max()),
        "median_difference": median,
        "same_sign": float(((margins > 0) == (others > 0)).mean()),
        "agrees": correlation is not None and correlation >= FEWEST_CORRELATION and median <= MOST_MEDIAN,
    }
