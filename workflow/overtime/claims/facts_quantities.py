"""What case study 2 estimates from answers: trends with the count, and gaps between rare and frequent facts."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from overtime import InputError
from overtime.claims.evidence import DIFFERENCE, MissingEvidence, Sample, array
from overtime.claims.facts_answers import CLOSED_BOOK, GOLD, GRADIENT, Answers, ByCondition, Scores, in_words
from overtime.jackknife import FEWEST_LEVELS
from overtime.statistics import Statistic, among, mean_of, spearman_of, spearman_within
from overtime.tables import RETRIEVED

FLAT = "flat"  # the world whose distractors are as many at every count
WORLDS = {"gradient": GRADIENT, FLAT: ""}
FEWEST_QUESTIONS = 30  # on either side of a gap
THIRDS = 3
WORDS = {"count": "document count", "statements": "statement count", "comentions": "co-mention count"}
Chosen = NDArray[np.bool_]  # which items [items]
FOUND = 0.5  # share of questions whose own passage retrieval must find


def trend_with_count(scores: Scores, condition: str, count: str = "count", within: str | None = None) -> Sample:
    """Rank correlation of a count of documents and correctness; `within` the groups that a column of the items names."""
    quantity = f"rank correlation of {WORDS[count]} and {in_words(condition)}{_strata_in_words(within)}"
    return scores.sample(quantity, lambda of: _trend(scores, of[condition], count, within))


def trend_within_thirds(scores: Scores, condition: str, count: str, within: str) -> Sample:
    """Mean over thirds of the questions by `within` of the rank correlation of a count and correctness.

    Equal values stay together; MissingEvidence where there are so few that a third is empty.
    """
    middle = scores.items[within].rank("average").to_numpy() - 0.5
    third = np.floor(THIRDS * middle / len(middle))
    groups = [np.flatnonzero(third == number) for number in range(THIRDS)]
    if not all(len(group) for group in groups):
        raise MissingEvidence(f"{scores.items[within].n_unique()} values of the {WORDS[within]} make no thirds of the questions")
    counts = array(scores.items, count)

    def of_run(of: ByCondition) -> Statistic:
        return _mean_of_statistics([among(spearman_of(counts[group], of[condition][group]), group) for group in groups])

    quantity = f"rank correlation of {WORDS[count]} and {in_words(condition)} within thirds of the {WORDS[within]}"
    return scores.sample(quantity, of_run)


def gap_at_cut(answers: Answers, least: int, cut: int, above: int) -> Sample:
    """Closed-book accuracy at `least` to `cut` documents minus accuracy at `above` and more."""
    scores = answers.under(CLOSED_BOOK).able(CLOSED_BOOK)
    counts = array(scores.items, "count")
    rare, frequent = (counts >= least) & (counts <= cut), counts >= above
    for side, words in ((rare, f"{least} to {cut}"), (frequent, f"{above} or more")):
        if side.sum() < FEWEST_QUESTIONS:
            raise MissingEvidence(f"{side.sum()} questions have {words} documents{scores.place}; need {FEWEST_QUESTIONS}")
    quantity = f"closed-book accuracy on questions with {least} to {cut} documents minus accuracy with {above} or more"
    return gap_between(scores, CLOSED_BOOK, rare, frequent, quantity)


def gap_between(
    scores: Scores, condition: str, first: Chosen, second: Chosen, quantity: str, limits: tuple[float, float] = DIFFERENCE
) -> Sample:
    """Mean score of the `first` items minus that of the `second`; other items do not count. MissingEvidence for too few units."""
    for side in (first, second):
        _enough_units(scores.only(side), quantity)
    kept, sides = scores.only(first | second), [side[first | second] for side in (first, second)]

    def of_run(of: ByCondition) -> Statistic:
        of_first, of_second = (among(mean_of(of[condition][side]), side) for side in sides)
        return _difference(of_first, of_second)

    return kept.sample(quantity, of_run, limits)


def fall_of_trend(answers: Answers, condition: str | None, within: str | None = None) -> Sample:
    """Rank correlation of document count and correctness, closed book minus with passages, on the same questions."""
    scores, shown = _beside_closed_book(answers, condition)

    def of_run(of: ByCondition) -> Statistic:
        closed, open_book = (_trend(scores, of[name], "count", within) for name in (CLOSED_BOOK, shown))
        return _difference(closed, open_book)

    quantity = f"rank correlation of document count and closed-book accuracy, minus the same of {in_words(shown)}"
    quantity += _strata_in_words(within)
    return scores.sample(quantity, of_run)


def gain_of_rare(answers: Answers, condition: str | None) -> Sample:
    """Accuracy with passages minus closed-book accuracy on questions about rare facts."""
    scores, shown = _beside_closed_book(answers, condition)
    rare = scores.only(array(scores.items, "count") <= answers.rare)
    quantity = f"{in_words(shown)} minus closed-book accuracy on questions with at most {answers.rare} documents"
    return mean_score(rare, quantity, lambda of: of[shown] - of[CLOSED_BOOK])


def loss_of_frequent(answers: Answers, condition: str | None) -> Sample:
    """Closed-book accuracy minus accuracy with passages on questions about frequent facts."""
    scores, shown = _beside_closed_book(answers, condition)
    frequent = scores.only(array(scores.items, "count") >= answers.frequent)
    quantity = f"closed-book accuracy minus {in_words(shown)} on questions with {answers.frequent} or more documents"
    return mean_score(frequent, quantity, lambda of: of[CLOSED_BOOK] - of[shown])


def mean_score(scores: Scores, quantity: str, value: Callable[[ByCondition], NDArray[np.float64]]) -> Sample:
    """Mean of a difference of scores [items] of every run. MissingEvidence for too few units."""
    _enough_units(scores, quantity)
    return scores.sample(quantity, lambda of: mean_of(value(of)), DIFFERENCE)


def trend_with_passages(answers: Answers, world: str, within: str | None = None) -> Sample:
    """Rank correlation of document count and correctness with the most retrieved passages."""
    condition = answers.most_passages(_prefix(answers, world))
    return trend_with_count(answers.under(condition).able(condition), condition, within=within)


def trend_with_gold(answers: Answers, world: str, within: str | None = None) -> Sample:
    """Rank correlation of document count and correctness with the passage that holds the answer."""
    condition = _prefix(answers, world) + GOLD
    return trend_with_count(answers.under(condition).able(condition), condition, within=within)


def _trend(scores: Scores, correct: NDArray[np.float64], count: str, within: str | None) -> Statistic:
    counts = array(scores.items, count)
    return spearman_of(counts, correct) if within is None else spearman_within(counts, correct, scores.items[within].to_numpy())


def _strata_in_words(within: str | None) -> str:
    return "" if within is None else f" within each {within}"


def _enough_units(scores: Scores, quantity: str) -> None:
    """MissingEvidence for fewer units than an interval takes, on one side of a gap or in all."""
    if (number := scores.items["unit"].n_unique()) < FEWEST_LEVELS:
        raise MissingEvidence(f"{number} {scores.unit}{scores.place} are too few for the {quantity}; need {FEWEST_LEVELS}")


def _difference(first: Statistic, second: Statistic) -> Statistic:
    return lambda weights: first(weights) - second(weights)


def _beside_closed_book(answers: Answers, condition: str | None) -> tuple[Scores, str]:
    """Scores under a condition (null: the most passages) and closed book, and the condition.

    MissingEvidence where retrieval did not find the own passage of half of the questions.
    """
    shown = condition or answers.most_passages()
    scores = answers.under(CLOSED_BOOK, shown).able(CLOSED_BOOK)
    if shown.removeprefix(GRADIENT).startswith(RETRIEVED) and (share := answers.own_shown(shown)) < FOUND:
        raise MissingEvidence(f"the own passage was shown with {share:.0%} of the questions{answers.place}; need {FOUND:.0%}")
    return scores, shown


def _prefix(answers: Answers, world: str) -> str:
    """What conditions of the world begin with; real questions are in a world of their own, in which difficulty may rise."""
    if world not in WORLDS:
        raise InputError(f"world {world}: unknown; known are {', '.join(WORLDS)}")
    if answers.generated:
        return WORLDS[world]
    if world == FLAT:
        raise MissingEvidence("there are no real questions that are known to be as hard at every count")
    return ""


def _mean_of_statistics(statistics: Sequence[Statistic]) -> Statistic:
    return lambda weights: np.mean([statistic(weights) for statistic in statistics], axis=0)
