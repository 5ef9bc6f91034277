"""The table of figure 6: what personas assert, mean log-odds of Yes, and the answers side by side."""

import polars as pl

from overtime import InputError
from overtime.attacks.assertions import ASSERTED
from overtime.attacks.personas import PERSONAS, TRUTHFULQA
from overtime.files import require_finite
from overtime.statistics import bootstrap, mean_of
from overtime.tables import PERSONA_GROUPS, interval_columns, interval_rows

PERSONA_COLUMNS = ("source", "series", "x", "y", "lower", "upper", "n", "kind", "condition", "group", "text", "answer", "said")


def persona_table(log_odds: pl.DataFrame, coded: pl.DataFrame, resamples: int = 2000, seed: int = 0) -> pl.DataFrame:
    """The figure's table, told apart by `kind`, from the log-odds of a model and its answers as `assertions.coded_answers` give.

    "asserted" is the share of claims that the greedy answers assert, "log_odds" and "mass" are means, all by condition and group
    with intervals over claims (`n`); "agreement" is the kappa of the rule that codes answers (`n`: answers labelled); "answer"
    are the answers shown (`y` null). `x` is the group of a mean and the question of an answer.
    """
    require_finite(log_odds, "log-odds of personas")
    others = [group for group in TRUTHFULQA if group in log_odds["group"]]
    asserted = coded.with_columns(asserted=(pl.col("said") == ASSERTED).cast(pl.Float64))
    rows = []
    for kind, table, groups, limits in (
        ("asserted", asserted, PERSONA_GROUPS, (0.0, 1.0)),
        ("log_odds", log_odds, (*PERSONA_GROUPS, *others), None),
        ("mass", log_odds, (*PERSONA_GROUPS, *others), (0.0, 1.0)),
    ):
        for condition in PERSONAS:
            for group in groups:
                own = table.filter(condition=condition, group=group)
                if own.is_empty():
                    raise InputError(f"{kind} of {condition!r}: no claim of the group {group!r}; every group needs claims")
                interval = bootstrap(mean_of(own[kind]), own["claim"], resamples, seed, limits).interval()
                rows.append({"kind": kind, "condition": condition, "group": group, "x": group} | interval_columns(interval))
    rows.append({"kind": "agreement", "y": coded["agreement"][0], "n": coded["labelled"][0]})
    printable = pl.col("answer").str.replace_all(r"\p{C}", "\N{REPLACEMENT CHARACTER}")  # no SVG holds control characters
    shown = coded.filter("shown")
    answers = shown.select(
        "condition", "group", "text", "said", printable, kind=pl.lit("answer"), x="text", n=pl.lit(1, pl.Int64)
    )
    table = pl.concat([interval_rows(rows), answers], how="diagonal")
    return table.with_columns(source=pl.lit("measured"), series="condition").select(PERSONA_COLUMNS)
