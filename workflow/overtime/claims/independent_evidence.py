"""Case study 1 on the talk's own models, as others scored them: margins of WinoBias and Winogender sentences by occupation.

A margin is log P(feminine form) - log P(masculine form) of a sentence at the end of training (Belém et al. 2024; see
`sources.independent_scores`). Pythia was trained on two corpora, the Pile ("standard") and the Pile without duplicates
("deduplicated"): one run of each size on each. The unit is the occupation. Sizes count alike; statements on sizes are contrasts
over all of them.
"""

from collections.abc import Callable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from overtime.claims.bias_statistics import contrast_weights, correlation_of, preference_of, ranking_of, slope_of
from overtime.claims.evidence import DIFFERENCE, Sample, Tables, array
from overtime.claims.independent_margins import WINOBIAS, WINOGENDER, margins_by_size, towards_stereotype
from overtime.statistics import Statistic
from overtime.tables import RELEASED_PARAMETERS


def independent_size_contrast(tables: Tables, *, corpus: str = "standard") -> Sample:
    """Released by others: gain in the share of WinoBias sentences whose stereotyped form is likelier, by size of the model.

    It is that of a line over the logarithm of the parameters; both directions count alike, as in `size_contrast`.
    """
    quantity = "gain in the share of stereotyped WinoBias forms from the smallest to the largest size"

    def preference(items: pl.DataFrame, margins: NDArray[np.float64]) -> Statistic:
        return preference_of(towards_stereotype(items, margins), items["direction"].to_numpy(), 0.5)

    return _over_sizes(tables, quantity, preference, corpus)


def independent_size_ranking(tables: Tables, *, corpus: str = "standard") -> Sample:
    """Released by others: as `independent_size_contrast`; the chance that a masculine sentence is ranked above a feminine.

    Ranked by log P(masculine form) - log P(feminine form), a masculine sentence being one whose stereotype is.
    """
    quantity = "gain in area under the curve (masculine v feminine sentences) from the smallest to the largest size"

    def ranking(items: pl.DataFrame, margins: NDArray[np.float64]) -> Statistic:
        return ranking_of(-margins, (items["direction"] == "masculine").to_numpy(), np.zeros(items.height))

    return _over_sizes(tables, quantity, ranking, corpus)


def independent_correlation(tables: Tables, *, corpus: str = "standard", sentences: str = WINOGENDER) -> Sample:
    """Released by others: correlation of margins with how the occupation goes with "she", beyond "he", in the Pile."""
    return _associated(tables, "correlation of margins with the association in the Pile", correlation_of, corpus, sentences)


def independent_slope(tables: Tables, *, corpus: str = "standard", sentences: str = WINOGENDER) -> Sample:
    """Released by others: slope of the margins of sentences on PMI(occupation, she) - PMI(occupation, he) in the Pile.

    That 1 gives the association back is a convention: co-occurrence in windows is no log-odds of the pronoun in the sentence.
    Errors in it draw the slope towards 0.
    """
    return _associated(tables, "slope of margins on the association in the Pile", slope_of, corpus, sentences)


def _over_sizes(
    tables: Tables, quantity: str, measure: Callable[[pl.DataFrame, NDArray[np.float64]], Statistic], corpus: str
) -> Sample:
    items, margins = margins_by_size(tables, WINOBIAS, corpus)
    weights = contrast_weights({model: RELEASED_PARAMETERS[model] for model in margins})
    runs = {model: [measure(items, values)] for model, values in margins.items()}
    units = {"occupations": items["occupation"].to_numpy()}
    return Sample(quantity, units, runs, weights, DIFFERENCE, _sizes(margins, corpus))


def _associated(tables: Tables, quantity: str, statistic: Callable[..., Statistic], corpus: str, sentences: str) -> Sample:
    items, margins = margins_by_size(tables, sentences, corpus)
    together = np.zeros(items.height)
    runs = {model: [statistic(values, array(items, "pile"), together)] for model, values in margins.items()}
    limits = (-1.0, 1.0) if statistic is correlation_of else None
    return Sample(quantity, {"occupations": items["occupation"].to_numpy()}, runs, limits=limits, note=_sizes(margins, corpus))


def _sizes(margins: dict[str, NDArray[np.float64]], corpus: str) -> str:
    models = list(margins)
    return f"{models[0]} to {models[-1]}, {corpus} corpus"
