"""Gender bias over training: the stereotype measure in both directions, and whether an intervention on pronouns took at all.

The share of sentence pairs in which the stereotyped sentence is likelier (CrowS-Pairs, doi:10.18653/v1/2020.emnlp-main.154) says
little by itself: a model that prefers the feminine sentence of every pair may score above one half. So both directions are kept
apart, beside the score of such a model and the log-odds of feminine pronouns in neutral contexts.
"""

from itertools import product

import polars as pl
from transformers import PreTrainedModel
from transformers import PreTrainedTokenizerBase as Tokenizer

from overtime import InputError
from overtime.score import token_log_probs
from overtime.stats import bootstrap_mean

DIRECTIONS = ("all", "feminine", "masculine")
CONTRASTS = ("she/he", "her/him", "her/his")  # feminine / masculine
# Beginnings of sentences that leave the gender open and end where a subject, an object or a possessive would follow.
BEGINNINGS = {
    "she/he": ("The {} said that", "The {} smiled because", "When the {} came home,", "We asked the {} whether"),
    "her/him": (
        "I met the {} and talked to",
        "The {} was lost, so we helped",
        "The {} had called, and I thanked",
        "The {} won, and we praised",
    ),
    "her/his": ("The {} had forgotten", "The {} went back to", "The {} was looking for", "The {} is proud of"),
}
PEOPLE = ("person", "visitor", "neighbour", "child", "student", "tourist", "stranger", "patient")


def stereotype_curve(scores: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """Rows of figures 1 and 2: the share of pairs with the stereotyped sentence likelier, for all pairs and by direction.

    `scores` holds model, arm, seed, step, percent, pair, ll_more, ll_less; `pairs` holds pair, direction, template. Seeds are
    averaged within a pair. The interval is a bootstrap over templates, since pairs of one template are not independent; `n`
    counts pairs, `x` is percent of training.
    """
    known = scores.join(pairs.select("pair", "direction", "template"), on="pair", how="left")
    if known["template"].null_count():
        strange = known.filter(pl.col("template").is_null())["pair"][0]
        raise InputError(f"scores of pair {strange}, which is not among the {pairs.height} pairs; score this set of pairs again")
    shares = known.with_columns(value=(pl.col("ll_more") > pl.col("ll_less")).cast(pl.Float64))
    parts = {side: shares if side == "all" else shares.filter(direction=side) for side in DIRECTIONS}
    return pl.concat(_curves(part, "pair", "template", side, "stereotype") for side, part in parts.items() if part.height)


def pronoun_curve(log_odds: pl.DataFrame) -> pl.DataFrame:
    """Rows of figures 1 and 2 for the manipulation check: mean log P(feminine) - log P(masculine) in neutral contexts, in nats.

    `log_odds` holds model, arm, seed, step, percent, context, contrast, log_odds. Contexts are the independent units.
    """
    return _curves(log_odds.rename({"log_odds": "value"}), "context", "context", "all", "pronouns")


def always_feminine(pairs: pl.DataFrame) -> pl.DataFrame:
    """Reference rows: the stereotype share of a model that prefers the feminine sentence of every pair.

    Computed from the `direction` of the pairs; those without one (they differ in names or other words) are not counted in `n`.
    """
    known = pairs.drop_nulls("direction").select("direction", y=(pl.col("direction") == "feminine").cast(pl.Float64))
    sides = pl.concat([known.with_columns(direction=pl.lit("all")), known])
    shares = sides.group_by("direction", maintain_order=True).agg(pl.mean("y"), n=pl.len())
    names = {"source": "measured", "series": "always feminine", "metric": "stereotype"}
    return shares.with_columns(lower=pl.col("y"), upper=pl.col("y"), **{key: pl.lit(value) for key, value in names.items()})


def pronoun_contexts() -> pl.DataFrame:
    """Neutral English contexts for pretrained models: `context` (number), `contrast`, `text`."""
    rows = [
        (contrast, beginning.format(person))
        for contrast in CONTRASTS
        for beginning, person in product(BEGINNINGS[contrast], PEOPLE)
    ]
    return pl.DataFrame(rows, ["contrast", "text"], orient="row").with_row_index("context")


def pronoun_log_odds(model: PreTrainedModel, tokenizer: Tokenizer, contexts: pl.DataFrame) -> pl.DataFrame:
    """Columns context, contrast and log_odds = log P(feminine pronoun | text) - log P(masculine pronoun | text), natural logs.

    `contexts` holds context, contrast (of CONTRASTS) and text, which ends where the pronoun follows. "her" is one word for two
    forms, so its probability after a text counts both.
    """
    parts = []
    for contrast in CONTRASTS:
        part = contexts.filter(contrast=contrast)
        if part.height:
            pronouns = [f" {pronoun}" for pronoun in contrast.split("/")]
            feminine, masculine = token_log_probs(model, tokenizer, part["text"].to_list(), pronouns).T
            parts.append(part.select("context", "contrast", log_odds=pl.Series(feminine - masculine)))
    return pl.concat(parts).sort("context")


def _curves(items: pl.DataFrame, item: str, cluster: str, direction: str, metric: str) -> pl.DataFrame:
    """One row per model, arm and step: the mean of `value` over seeds, then over items, with its interval over clusters."""
    point = ["model", "arm", "step", "percent"]
    seeds = items.group_by(point).agg(seeds=pl.col("seed").n_unique())
    means = items.group_by(*point, item, cluster).agg(pl.mean("value")).sort(*point, item).join(seeds, on=point)
    rows = []
    for (model, arm, step, percent), part in means.group_by(point, maintain_order=True):
        interval = bootstrap_mean(part["value"], part[cluster])
        rows.append(
            {
                "source": "measured",
                "series": f"{model} {arm}",
                "x": percent,
                "y": interval.estimate,
                "lower": interval.lower,
                "upper": interval.upper,
                "n": part.height,
                "model": model,
                "arm": arm,
                "step": step,
                "direction": direction,
                "metric": metric,
                "code": None,
                "seeds": part["seeds"][0],
            }
        )
    return pl.DataFrame(rows, schema_overrides={"code": pl.String})
