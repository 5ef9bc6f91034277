"""The evaluation-code audit of the released CrowS-Pairs curves.

Each released evaluation names the git hash of the code that ran it, and one curve can mix two of them: `8164ebc`, the tip of
the branch in which the intervention was being written, and `d36f623`, a clean main. On the same task the mean difference of
log-likelihoods is 23-44 nats under the first and about 3 under the second, so the two do not measure the same thing.
The table holds what each code gives, beside a re-enactment of the first on models at hand (`overtime.bias.shifted_scoring`); we
did not run the released models again.
"""

import polars as pl

from overtime.files import require_finite
from overtime.statistics import bootstrap_mean
from overtime.tables import RELEASED_ARMS, RELEASED_STEPS, arm_table, interval_columns, interval_rows, with_arms


def audit_table(
    released: pl.DataFrame, reenacted: dict[str, pl.DataFrame], ways: pl.DataFrame, resamples: int = 2000, seed: int = 0
) -> pl.DataFrame:
    """Rows of the audit figure: every released point in both measures, the re-enactment by model and scoring, rewritten texts.

    `reenacted` holds `shifted_scores` by model, `ways` what `reference_counts` gives by way of rewriting. Adds `measure`
    (stereotype, likelihood_difference; touched, masculine_words, masculine_pronouns), `model`, `arm`, `step`, `code`, `scoring`;
    `text`, `unit`, `way`. Released intervals are 1.96 standard errors, measured ones a bootstrap over pairs; texts have none,
    for they are counted whole.
    """
    points = with_arms(released, arm_table(RELEASED_ARMS)).select(
        "model",
        "arm",
        "step",
        "code",
        "n",
        "rewrite",
        "share",
        "probability",
        "label",
        "short_label",
        source=pl.lit("released"),
        series=pl.format("{} {}", "model", "arm"),
    )
    tables = []
    for measure, (column, error) in {
        "stereotype": ("pct_stereotype", "stderr"),
        "likelihood_difference": ("likelihood_difference", "likelihood_difference_stderr"),
    }.items():
        y, half = released[column], 1.96 * released[error]
        tables.append(
            points.with_columns(
                x=pl.col("step") / (RELEASED_STEPS / 100), y=y, lower=y - half, upper=y + half, measure=pl.lit(measure)
            )
        )
    return pl.concat([*tables, _reenacted(reenacted, resamples, seed), *_of_texts(ways)], how="diagonal_relaxed")


def _reenacted(reenacted: dict[str, pl.DataFrame], resamples: int, seed: int) -> pl.DataFrame:
    rows = []
    for model, scores in reenacted.items():
        require_finite(scores, f"re-enactment on {model}")
        for (scoring,), part in scores.group_by("scoring", maintain_order=True):
            for measure, column in {"stereotype": "stereotype", "likelihood_difference": "difference"}.items():
                interval = bootstrap_mean(part[column].cast(pl.Float64), resamples=resamples, seed=seed)
                names = {"model": model, "scoring": scoring, "measure": measure, "series": f"{model} {scoring}"}
                rows.append({"source": "measured", **names, **interval_columns(interval)})
    return interval_rows(rows)


def _of_texts(ways: pl.DataFrame) -> list[pl.DataFrame]:
    """Shares of documents touched, and of gendered words and of pronouns that are masculine after each way of rewriting."""
    gendered, pronouns = (pl.sum_horizontal(f"masculine{kind}", f"feminine{kind}") for kind in ("", "_pronouns"))
    shares = {
        "touched": ("touched", pl.col("documents")),
        "masculine_words": ("masculine", gendered),
        "masculine_pronouns": ("masculine_pronouns", pronouns),
    }
    series = pl.format("{}, {}", "text", "way")
    return [
        ways.filter(of > 0).select(
            "text", "unit", "way", source=pl.lit("measured"), measure=pl.lit(measure), series=series, y=pl.col(part) / of, n=of
        )
        for measure, (part, of) in shares.items()
    ]
