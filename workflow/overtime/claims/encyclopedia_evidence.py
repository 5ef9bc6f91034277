"""Case study 2 on real facts: the largest pretrained model on questions that the articles of an encyclopedia answer.

A proxy: the number of articles that name subject and answer stands in for that of training documents, and an encyclopedia sample
for the training corpus. The unit is the article, on which several questions may rest. Trends are also asked for within each
family of questions (`by_family`), so that none is only that of easy families being frequent ones.
"""

from overtime.claims.evidence import Sample, Tables
from overtime.claims.facts_answers import CLOSED_BOOK
from overtime.claims.facts_quantities import (
    fall_of_trend,
    gain_of_rare,
    gap_at_cut,
    loss_of_frequent,
    trend_with_count,
    trend_with_gold,
    trend_with_passages,
)
from overtime.claims.pretrained_answers import on_encyclopedia


def encyclopedia_count_trend(tables: Tables, *, by_family: bool = False) -> Sample:
    """Proxy: rank correlation of the number of articles and closed-book correctness."""
    scores = on_encyclopedia(tables).under(CLOSED_BOOK).able(CLOSED_BOOK)
    return trend_with_count(scores, CLOSED_BOOK, within=_strata(by_family))


def encyclopedia_rare_gap(tables: Tables) -> Sample:
    """Proxy: closed-book accuracy in the lowest bin of article counts minus accuracy in the highest."""
    answers = on_encyclopedia(tables)
    return gap_at_cut(answers, 0, answers.rare, answers.frequent)


def encyclopedia_retrieval_fall(tables: Tables, *, condition: str | None = None, by_family: bool = False) -> Sample:
    """Proxy: that correlation closed book minus with passages (default: the most)."""
    return fall_of_trend(on_encyclopedia(tables, passages=True), condition, _strata(by_family))


def encyclopedia_retrieval_rare_gain(tables: Tables, *, condition: str | None = None) -> Sample:
    """Proxy: accuracy with passages minus closed-book accuracy in the lowest bin of counts."""
    return gain_of_rare(on_encyclopedia(tables, passages=True), condition)


def encyclopedia_retrieval_frequent_loss(tables: Tables, *, condition: str | None = None) -> Sample:
    """Proxy: closed-book accuracy minus accuracy with passages in the highest bin of counts."""
    return loss_of_frequent(on_encyclopedia(tables, passages=True), condition)


def encyclopedia_retrieval_decline(tables: Tables, *, by_family: bool = False) -> Sample:
    """Proxy: rank correlation of the number of articles and correctness with the most passages."""
    return trend_with_passages(on_encyclopedia(tables, passages=True), "gradient", _strata(by_family))


def encyclopedia_gold_trend(tables: Tables, *, by_family: bool = False) -> Sample:
    """Proxy: rank correlation of the number of articles and correctness with the lead of the question's own article."""
    return trend_with_gold(on_encyclopedia(tables, passages=True), "gradient", _strata(by_family))


def _strata(by_family: bool) -> str | None:
    return "family" if by_family else None
