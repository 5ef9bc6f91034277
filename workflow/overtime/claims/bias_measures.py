"""Measures of gender bias for the claims: what of the items they need, and the statistic that they make of a run's scores."""

from collections.abc import Callable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from overtime import InputError
from overtime.claims.bias_statistics import DIRECTIONS, correlation_of, imbalance_of, preference_of, ranking_of, slope_of
from overtime.claims.evidence import MissingEvidence, Tables, array, in_world
from overtime.files import require_unique
from overtime.statistics import Statistic

OfRun = Callable[[NDArray[np.float64]], Statistic]  # of the scores of a run [items]
BiasMeasure = Callable[[pl.DataFrame], OfRun]  # of items; MissingEvidence where they do not allow it
NULL = "null"  # the variant of the world in which no occupation is associated with a gender
WEAKEST = 1e-6  # spread of an association that is but rounding


def preference(mix: float) -> BiasMeasure:
    """The share of pairs whose stereotype is preferred, S(mix)."""
    if not 0 <= mix <= 1:
        raise InputError(f"mix {mix}; expected the share of feminine pairs, from 0 to 1")

    def of_items(items: pl.DataFrame) -> OfRun:
        sides = directions(items)
        return lambda scores: preference_of(scores, sides, mix)

    return of_items


def imbalance(items: pl.DataFrame) -> OfRun:
    """The distance of the share of preferred stereotypes from one half."""
    return imbalance_of


def ranking(items: pl.DataFrame) -> OfRun:
    """A: the chance that a masculine pair is ranked above a feminine one of its template."""
    sides, templates = directions(items), items["template"].to_numpy()
    masculine = sides == "masculine"
    if not set(templates[masculine]) & set(templates[~masculine]):
        raise MissingEvidence("no template has pairs of both directions")
    return lambda scores: ranking_of(_as_masculine(scores, sides), masculine, templates)


def slope(tables: Tables, variant: str | None = None) -> BiasMeasure:
    """b: the slope of a model's log-odds on those of its corpus, within templates."""
    return lambda items: _associated(tables, variant, items, slope_of)


def correlation(tables: Tables, variant: str | None = None) -> BiasMeasure:
    """r: the correlation of a model's log-odds and those of its corpus, within templates."""
    return lambda items: _associated(tables, variant, items, correlation_of)


def directions(items: pl.DataFrame) -> NDArray[np.str_]:
    """The side of every pair's stereotype; MissingEvidence where all have the same."""
    sides: NDArray[np.str_] = items["direction"].to_numpy().astype(str)
    if unknown := sorted(set(sides.tolist()) - set(DIRECTIONS)):
        raise InputError(f"pairs: direction {unknown[0]!r}; expected {' or '.join(DIRECTIONS)}")
    if len(set(sides.tolist())) < len(DIRECTIONS):
        raise MissingEvidence(f"all pairs have a {sides[0]} stereotype")
    return sides


def corpus_log_odds(tables: Tables, variant: str | None = None) -> dict[str, float]:
    """ln((M + 1/2) / (F + 1/2)) of every occupation, M and F the documents that name it with a masculine or a feminine word.

    Of the null world, what the world itself has: its own documents have none but by chance, and a model that learned that chance
    would mimic its corpus rightly.
    """
    columns = ("occupation", "masculine", "feminine")
    pairs = in_world(tables, None if variant == NULL else variant, "pairs", *columns)
    counts = pairs.select(columns).unique()
    require_unique(counts, ["occupation"], "pairs: documents of an occupation")
    masculine, feminine = array(counts, "masculine"), array(counts, "feminine")
    if min(masculine.min(), feminine.min()) < 0:
        raise InputError("pairs: a negative number of documents")
    return dict(zip(counts["occupation"], np.log((masculine + 0.5) / (feminine + 0.5)).tolist(), strict=True))


def _associated(tables: Tables, variant: str | None, items: pl.DataFrame, statistic: Callable[..., Statistic]) -> OfRun:
    if "occupation" not in items.columns:
        raise MissingEvidence("the pairs name no occupations whose documents are counted")
    sides, templates, of = directions(items), items["template"].to_numpy(), corpus_log_odds(tables, variant)
    if unknown := sorted(set(items["occupation"]) - set(of)):
        raise InputError(f"pairs: no documents are counted for the occupation {unknown[0]}")
    log_odds = np.array([of[occupation] for occupation in items["occupation"]])
    if not any(np.ptp(log_odds[templates == template]) > WEAKEST for template in np.unique(templates)):
        raise MissingEvidence("the documents name all occupations of a template with either gender alike")
    return lambda scores: statistic(_as_masculine(scores, sides), log_odds, templates)


def _as_masculine(scores: NDArray[np.float64], sides: NDArray[np.str_]) -> NDArray[np.float64]:
    """Log-odds for the masculine sentence instead of for the stereotype."""
    return np.where(sides == "masculine", scores, -scores)
