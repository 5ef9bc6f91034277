"""Case study 1 on a real model that is trained further here: the swap and two-way augmentation against the same text as it was.

Both sides of a comparison read the same documents in the same order, and are scored on the same items at the end. The stretches
of text are the runs, at least four: intervals over items alone exclude zero between two stretches that nobody rewrote. With
`across` the original of another stretch stands in place of its own, so that what stretches differ by anyway (A/A) is in the
error. `arm` is swap or two-way.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from overtime import InputError
from overtime.claims.bias_evidence import TO_ONE_HALF
from overtime.claims.bias_measures import BiasMeasure, OfRun, directions, imbalance, preference
from overtime.claims.bias_scores import ItemScores, Runs, with_arm
from overtime.claims.bias_statistics import DIRECTIONS, difference_of
from overtime.claims.continued_scores import START, continued_margins, continued_pair_scores, continued_pronoun_scores
from overtime.claims.evidence import DIFFERENCE, MissingEvidence, Sample, Tables, array
from overtime.statistics import Statistic, mean_of
from overtime.tables import FEMININE_SHARE, ONE_WAY

FEWEST_STRETCHES = 4


def continued_shift(tables: Tables, *, arm: str = "swap", across: bool = False) -> Sample:
    """Continued: log-odds of feminine against masculine pronouns in neutral contexts, the arm minus the original text."""
    return _Comparison("log-odds of feminine pronouns", _mean, None, rise=True).sample(
        continued_pronoun_scores(tables), arm, across
    )


def continued_change(tables: Tables, *, mix: float = FEMININE_SHARE) -> Sample:
    """Continued: share of preferred stereotypes in CrowS-Pairs, the original text minus the swap; `mix` of it feminine pairs."""
    return _Comparison("stereotype share", preference(mix), DIFFERENCE).sample(
        continued_pair_scores(tables), "swap", across=False
    )


def continued_side(tables: Tables, *, side: str, arm: str = "swap", across: bool = False) -> Sample:
    """Continued: how far the arm brings the share of preferred stereotypes towards one half, in pairs of one direction."""
    if side not in DIRECTIONS:
        raise InputError(f"side {side!r}; expected {' or '.join(DIRECTIONS)}")
    scores = continued_pair_scores(tables)
    directions(scores.table)
    own = replace(scores, table=scores.table.filter(direction=side))
    return _Comparison(f"distance of {side} pairs from 50 %", imbalance, TO_ONE_HALF).sample(own, arm, across)


def continued_margin(tables: Tables, *, arm: str = "swap", across: bool = False) -> Sample:
    """Continued: margin of stereotypical over other WinoBias sentences in nats, the original text minus the arm."""
    return _Comparison("WinoBias margin in nats", _mean, None).sample(continued_margins(tables), arm, across)


@dataclass(frozen=True)
class _Comparison:
    """A measure after the original text minus that after an arm on the same stretch, or with `rise` the other way round."""

    quantity: str
    measure: BiasMeasure
    limits: tuple[float, float] | None
    rise: bool = False

    def sample(self, scores: ItemScores, arm: str, across: bool) -> Sample:
        rows = _arm(scores.table, arm)
        runs, words = with_arm(scores, rows), (str(rows["arm"][0]), f"original{' of another stretch' * across}")
        originals, changed = runs.conditions
        for family, own in originals.items():
            if len(own) < FEWEST_STRETCHES:
                raise MissingEvidence(f"{family} was continued on {len(own)} stretches of text; need {FEWEST_STRETCHES}")
        of_run = self.measure(runs.items)
        levels = _levels(scores, runs, of_run, arm)
        if across:
            runs = replace(runs, conditions=[{family: np.roll(own, 1, axis=0) for family, own in originals.items()}, changed])
        statistics = runs.statistics(lambda original, changed: difference_of(of_run(changed), of_run(original)))
        if not self.rise:
            words, statistics = words[::-1], {family: list(map(_negative, own)) for family, own in statistics.items()}
        return Sample(
            f"{self.quantity}, {' minus '.join(words)}{scores.of}",
            runs.units,
            statistics,
            limits=self.limits,
            note="; ".join(filter(None, (levels, runs.note))),
        )


def _mean(items: pl.DataFrame) -> OfRun:
    return mean_of


def _arm(table: pl.DataFrame, arm: str) -> pl.DataFrame:
    """The rows of the text that is the arm; of several, the fullest swap, or the part that is nearest to one half."""
    if arm not in ("swap", "two-way"):
        raise InputError(f"arm {arm!r}; expected swap or two-way")
    if arm == "swap":
        fitting = table.filter(pl.col("rewrite").is_in(ONE_WAY), pl.col("probability") == 1)
        rank = pl.col("rewrite").replace_strict({way: place for place, way in enumerate(ONE_WAY)}, default=None)
        does = "rewrites masculine as feminine words in every document"
    else:
        fitting = table.filter(pl.col("probability") < 1, rewrite="swap")
        rank, does = (pl.col("probability") - 0.5).abs(), "swaps both ways in a part of the documents"
    if fitting.is_empty():
        raise MissingEvidence(f"no continued run {does}")
    return fitting.filter(pl.col("arm") == fitting.sort(rank, "arm")["arm"][0])


def _negative(statistic: Statistic) -> Statistic:
    return lambda weights: -statistic(weights)


def _levels(scores: ItemScores, runs: Runs, of_run: Callable[[NDArray[np.float64]], Statistic], arm: str) -> str:
    """In words, the measure before training and after each text."""
    begin = scores.table.filter(arm=START).select(*scores.item, "value")
    values = array(runs.items.join(begin, on=list(scores.item), how="left", maintain_order="left"), "value")
    conditions: list[dict[str, NDArray[np.float64]]] = [{START: values[None]}, *runs.conditions]
    means = [
        float(np.mean([of_run(run)(np.ones((1, len(values)))) for own in condition.values() for run in own]))
        for condition in conditions
    ]
    places = ("before training", "after the original text", f"after the {arm}")
    return ", ".join(f"{place} {round(mean, 3) + 0:.3f}" for place, mean in zip(places, means, strict=False))
