"""The table of figure 6: mean log-odds of Yes by persona and group of claims, and the answers side by side."""

import polars as pl

from overtime import InputError
from overtime.attacks.personas import PERSONAS, TRUTHFULQA
from overtime.files import require_finite
from overtime.statistics import bootstrap_mean
from overtime.tables import PERSONA_GROUPS, interval_columns, interval_rows


def persona_table(log_odds: pl.DataFrame, answers: pl.DataFrame, resamples: int = 2000, seed: int = 0) -> pl.DataFrame:
    """The figure's table: mean log-odds by condition and group with intervals over claims, then the answers (`y` null).

    `x` is the group of a mean and the question of an answer; `n` counts claims.
    """
    require_finite(log_odds, "log-odds of personas")
    means, others = [], [group for group in TRUTHFULQA if group in log_odds["group"]]
    for condition in PERSONAS:
        for group in (*PERSONA_GROUPS, *others):
            values = log_odds.filter(condition=condition, group=group)["log_odds"]
            if values.is_empty():
                raise InputError(f"log-odds of {condition!r}: no claim of the group {group!r}; every group needs claims")
            interval = bootstrap_mean(values, resamples=resamples, seed=seed)
            means.append({"kind": "log_odds", "condition": condition, "group": group, "x": group} | interval_columns(interval))
    printable = pl.col("answer").str.replace_all(r"\p{C}", "\N{REPLACEMENT CHARACTER}")  # no SVG holds control characters
    said = answers.select("condition", "group", "text", printable, kind=pl.lit("answer"), x="text", n=pl.lit(1, pl.Int64))
    table = pl.concat([interval_rows(means), said], how="diagonal").with_columns(source=pl.lit("measured"), series="condition")
    return table.select("source", "series", "x", "y", "lower", "upper", "n", "kind", "condition", "group", "text", "answer")
