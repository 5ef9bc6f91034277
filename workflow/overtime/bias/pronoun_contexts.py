"""The manipulation check: did an intervention on pronouns take at all?

"The swap did nothing to bias" must be told from "the swap did not take", so the log-odds of feminine against masculine pronouns
are measured in neutral contexts, for the baseline and for the intervention.
"""

from collections.abc import Callable
from itertools import product

import numpy as np
import polars as pl

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


def pronoun_contexts() -> pl.DataFrame:
    """Neutral English contexts for pretrained models: `context` (number), `contrast`, `text`."""
    rows = [
        (contrast, beginning.format(person))
        for contrast in CONTRASTS
        for beginning, person in product(BEGINNINGS[contrast], PEOPLE)
    ]
    return pl.DataFrame(rows, ["contrast", "text"], orient="row").with_row_index("context")


def pronoun_log_odds(contexts: pl.DataFrame, log_probs: Callable[[list[str], list[str]], np.ndarray]) -> pl.DataFrame:
    """Columns context, contrast and log_odds = log P(feminine pronoun | text) - log P(masculine pronoun | text), natural logs.

    `contexts` holds context, contrast (of CONTRASTS) and text, which ends where the pronoun follows. `log_probs` are a model's
    for texts and the words that may follow, [text, word] (`models.answers.token_log_probs`). "her" is one word for two forms,
    so its probability after a text counts both.
    """
    parts = []
    for contrast in CONTRASTS:
        part = contexts.filter(contrast=contrast)
        if part.height:
            pronouns = [f" {pronoun}" for pronoun in contrast.split("/")]
            feminine, masculine = log_probs(part["text"].to_list(), pronouns).T
            parts.append(part.select("context", "contrast", log_odds=pl.Series(feminine - masculine)))
    return pl.concat(parts).sort("context")
