"""Margins of sentences on the talk's own models, as others scored them: log P(feminine form) - log P(masculine form)."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from overtime.claims.evidence import MissingEvidence, Tables, array
from overtime.tables import RELEASED_PARAMETERS, by_size

CORPORA = {"standard": "", "deduplicated": "-deduped"}  # of the models' names, by corpus
WINOBIAS, WINOGENDER = "winobias", "winogender"


def margins_by_size(tables: Tables, sentences: str, corpus: str) -> tuple[pl.DataFrame, dict[str, NDArray[np.float64]]]:
    """The sentences, and their margins by each size of Pythia, named as on the standard corpus, from the smallest on."""
    if corpus not in CORPORA or sentences not in (WINOBIAS, WINOGENDER):
        raise MissingEvidence(f"no scores of {sentences} by models of the {corpus} corpus")
    items = tables.read(f"independent_{sentences}", "occupation", "pile")
    names = [name.removesuffix(CORPORA["deduplicated"]) for name in items.columns if name.startswith("pythia-")]
    sizes = by_size(names, RELEASED_PARAMETERS)
    return items, {model: array(items, f"{model}{CORPORA[corpus]}") for model in sizes}


def towards_stereotype(items: pl.DataFrame, margins: NDArray[np.float64]) -> NDArray[np.float64]:
    """Margins towards the gender that the stereotype favours."""
    return np.where(items["direction"] == "feminine", margins, -margins)
