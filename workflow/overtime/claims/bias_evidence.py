"""Case study 1, interventions: what a swap of pronouns late in training, and two-way augmentation, do to the measures of bias.

Either side of a comparison scores the same items in runs of the same models and seeds. Sizes count alike, as do the runs of one.
A `dose` is the last share of training that is rewritten (null: the talk's, or the longest that all models have), a `variant` one
of the generated world (null: the world itself).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import polars as pl

from overtime import InputError
from overtime.claims.bias_measures import BiasMeasure, OfRun, directions, imbalance, preference, ranking, slope
from overtime.claims.bias_scores import PAIRS, PRONOUNS, ItemScores, Readers, compare, repeated, with_arm
from overtime.claims.bias_statistics import DIRECTIONS, difference_of
from overtime.claims.evidence import DIFFERENCE, MissingEvidence, Sample, Tables
from overtime.statistics import mean_of
from overtime.tables import FEMININE_SHARE, ONE_WAY, TALKS_SHARE

SHIFT = "log-odds of feminine pronouns, {} minus baseline"
ASSOCIATION = "slope of log-odds on those of the corpus, baseline minus {}"
TO_ONE_HALF = (-0.5, 0.5)  # limits of a difference of distances from one half


def swap_shift(tables: Tables, *, dose: float | None = None, variant: str | None = None) -> Sample:
    """Measured: log-odds of feminine against masculine pronouns in neutral contexts, the swap minus the baseline."""
    shift = _Change(SHIFT, _mean, _swap, None, PRONOUNS, rise=True)
    return shift.sample(tables, variant, dose)


def augmentation_shift(tables: Tables, *, variant: str | None = None) -> Sample:
    """Measured: as `swap_shift`, for two-way augmentation, which rewrites as many words but favours neither gender."""
    shift = _Change(SHIFT, _mean, _augmentation, None, PRONOUNS, rise=True)
    return shift.sample(tables, variant)


def swap_change(tables: Tables, *, mix: float = FEMININE_SHARE, dose: float | None = None, variant: str | None = None) -> Sample:
    """Measured: final share of preferred stereotypes, baseline minus the swap, `mix` of it from pairs with a feminine one.

    The mix is fixed, since it belongs to the pair set: a model that always prefers the feminine sentence has this very share.
    """
    change = _Change("stereotype share, baseline minus {}", preference(mix), _swap, DIFFERENCE)
    return change.sample(tables, variant, dose)


def swap_ranking(tables: Tables, *, dose: float | None = None, variant: str | None = None) -> Sample:
    """Measured: chance that a masculine pair is ranked above a feminine one of its template, baseline minus the swap.

    A shift of all pronouns alike, whatever its size, leaves this order alone.
    """
    change = _Change("area under the curve (masculine v feminine pairs), baseline minus {}", ranking, _swap, DIFFERENCE)
    return change.sample(tables, variant, dose)


def swap_association(tables: Tables, *, dose: float | None = None, variant: str | None = None) -> Sample:
    """Measured: slope of the model's log-odds on those of its corpus within templates, baseline minus the swap."""
    return _Change(ASSOCIATION, slope(tables, variant), _swap, None).sample(tables, variant, dose)


def augmentation_association(tables: Tables, *, variant: str | None = None) -> Sample:
    """Measured: as `swap_association`, for two-way augmentation; another draw in each of at least two runs of a size."""
    return _Change(ASSOCIATION, slope(tables, variant), _augmentation, None, draws=1).sample(tables, variant)


def swap_side(tables: Tables, *, side: str, dose: float | None = None, variant: str | None = None) -> Sample:
    """Measured: how far the swap brings the share of preferred stereotypes towards one half, in pairs of one direction.

    A model that always prefers the feminine sentence scores near the mix of the pair set whatever it believes, so a debiasing
    must move the pairs with a feminine and those with a masculine stereotype, each by itself.
    """
    change = _Change(f"approach of {side} pairs to 50 % under {{}}", imbalance, _swap, TO_ONE_HALF, side=side)
    return change.sample(tables, variant, dose)


def augmentation_side(tables: Tables, *, side: str, variant: str | None = None) -> Sample:
    """Measured: as `swap_side`, for two-way augmentation; another draw in each of at least two runs of two sizes."""
    change = _Change(f"approach of {side} pairs to 50 % under {{}}", imbalance, _augmentation, TO_ONE_HALF, side=side, draws=2)
    return change.sample(tables, variant)


Choose = Callable[[pl.DataFrame, float | None], tuple[pl.DataFrame, str]]


@dataclass(frozen=True)
class _Change:
    """A measure of baselines minus that of the same runs in an arm, or with `rise` the other way round."""

    quantity: str  # {} stands for the arm
    measure: BiasMeasure
    choose: Choose
    limits: tuple[float, float] | None
    read: Readers = PAIRS
    rise: bool = False
    side: str | None = None  # of the pairs that count; null: all
    draws: int = 0  # sizes that must have two runs

    def sample(self, tables: Tables, variant: str | None, dose: float | None = None) -> Sample:
        return compare(tables, self.read, variant, self._build, dose=dose)

    def _build(self, scores: ItemScores, dose: float | None = None) -> Sample:
        if self.side is not None:
            scores = _of_side(scores, self.side)
        rows, words = self.choose(scores.table, dose)
        both = repeated(with_arm(scores, rows), self.draws)
        of_run = self.measure(both.items)
        runs = both.statistics(
            lambda base, arm: difference_of(of_run(arm), of_run(base)) if self.rise else difference_of(of_run(base), of_run(arm))
        )
        return Sample(self.quantity.format(words) + scores.of, both.units, runs, limits=self.limits, note=both.note)


def _mean(items: pl.DataFrame) -> OfRun:
    return mean_of


def _of_side(scores: ItemScores, side: str) -> ItemScores:
    if side not in DIRECTIONS:
        raise InputError(f"side {side!r}; expected {' or '.join(DIRECTIONS)}")
    directions(scores.table)
    return replace(scores, table=scores.table.filter(direction=side))


def _swap(table: pl.DataFrame, dose: float | None) -> tuple[pl.DataFrame, str]:
    """The rows of the arm that rewrites masculine as feminine words in all documents, and what it is called."""
    swaps = table.filter(pl.col("rewrite").is_in(ONE_WAY), pl.col("probability") == 1)
    chosen = _of_dose(swaps, dose, "rewrites masculine as feminine words in every document")
    best = next(way for way in ONE_WAY if way in chosen["rewrite"])
    return _one_arm(chosen.filter(rewrite=best)), f"{100 * chosen['rewritten'][0]:g} % swap"


def _augmentation(table: pl.DataFrame, dose: float | None) -> tuple[pl.DataFrame, str]:
    """The rows of the arm that swaps both ways in a part of the documents, of several parts the one nearest to one half."""
    rows = _of_dose(table.filter(pl.col("probability") < 1, rewrite="swap"), dose, "swaps both ways in a part of the documents")
    off = (pl.col("probability") - 0.5).abs()
    return _one_arm(rows.filter(off == off.min())), f"{100 * rows['rewritten'][0]:g} % two-way augmentation"


def _of_dose(rows: pl.DataFrame, dose: float | None, does: str) -> pl.DataFrame:
    """The rows of one last share of training: `dose`, or else the talk's 14 %, or the longest that all models with any have."""
    if rows.is_empty():
        raise MissingEvidence(f"no arm {does}")
    of_models = [set(shares) for shares in rows.group_by("model").agg(pl.col("rewritten").unique())["rewritten"]]
    if dose is None:
        talks = any(TALKS_SHARE in shares for shares in of_models)
        dose = TALKS_SHARE if talks else max(set[float].intersection(*of_models), default=None)
        if dose is None:
            raise MissingEvidence(f"no arm {does} of one last share in all models")
    chosen = rows.filter(pl.col("rewritten") == dose)
    if chosen.is_empty():
        raise MissingEvidence(f"no arm {does} of the last {100 * dose:g} %")
    return chosen


def _one_arm(rows: pl.DataFrame) -> pl.DataFrame:
    """Of arms with the same settings, whose runs are the same, the first of each model."""
    return rows.filter(pl.col("arm") == pl.col("arm").min().over("model"))
