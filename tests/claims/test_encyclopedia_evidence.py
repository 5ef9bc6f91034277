"""Evidence on questions from an encyclopedia: planted trends, gaps and families, by hand and by scipy."""

import numpy as np
import polars as pl
import pytest
from planted_facts import DECLARED, asked_of, question_set
from scipy.stats import pearsonr, rankdata, spearmanr

from overtime import ARTICLE_COUNT
from overtime.claims import encyclopedia_evidence as real
from overtime.claims.decisions import CONTRADICTED, UPHELD, decide
from overtime.claims.evidence import MissingEvidence, Tables

COUNT = np.repeat([1, 2, 3, 5, 8], 48)
FAMILY = np.tile(np.arange(4), 60)


def planted(closed: np.ndarray, three: np.ndarray, gold: np.ndarray) -> dict[str, pl.DataFrame]:
    """240 questions in four families, answered with these chances; beside them our own, years of birth and a smaller model."""
    random = np.random.default_rng(3)
    drawn = [(random.uniform(size=240) < chance).astype(float) for chance in (closed, three, gold, np.full(240, 0.02))]
    shown = dict(zip(("closed_book", "bm25_3", "oracle", "wrong"), drawn))
    families = pl.Series([f"f{one}" for one in FAMILY])
    proxies = question_set("wiki", COUNT).with_columns(proxy=pl.lit(ARTICLE_COUNT), family=families)
    # More questions than the core has, and answered the other way round: they are never taken for it.
    years = question_set("tail", np.tile(COUNT, 2), [None] * 480).with_columns(
        proxy=pl.lit(ARTICLE_COUNT), family=pl.lit("birth_year")
    )
    own = question_set("own", COUNT).with_columns(family=pl.lit(None, pl.String))
    answers = [asked_of("large-llm", "wiki", **shown), asked_of("large-llm", "own", closed_book=1 - drawn[0])]
    answers += [
        asked_of("large-llm", "tail", closed_book=np.tile(1 - drawn[0], 2)),
        asked_of("tiny-llm", "wiki", closed_book=drawn[3]),
    ]
    return {**DECLARED, "sets": pl.concat([own, proxies, years]), "set_answers": pl.concat(answers)}


def value(sample):
    return sample.estimate().estimate


def within(x, y):
    """Pearson's correlation of ranks within families, centred and as shares."""
    ranks = np.zeros((2, len(x)))
    for family in np.unique(FAMILY):
        part = family == FAMILY
        for row, values in zip(ranks, (x, y)):
            row[part] = (rankdata(values[part]) - (part.sum() + 1) / 2) / part.sum()
    return pearsonr(*ranks).statistic


RISING = 0.3 + 0.6 * (COUNT - 1) / 7
FLAT = np.full(240, 0.85)


def test_trends_gaps_and_gains_are_those_of_the_planted_answers():
    inputs = planted(RISING, FLAT, 1 - 0.6 * (COUNT - 1) / 7)
    tables, answers = Tables(inputs), inputs["set_answers"].filter(set="wiki", model="large-llm")
    of = {name: own["correct"].cast(pl.Float64).to_numpy() for (name,), own in answers.group_by("condition")}
    closed, three, gold = of["closed_book"], of["bm25_3"], of["oracle"]
    rare, frequent = COUNT <= 1, COUNT >= 4
    expected = {
        real.encyclopedia_count_trend: spearmanr(COUNT, closed).statistic,
        real.encyclopedia_rare_gap: closed[rare].mean() - closed[frequent].mean(),
        real.encyclopedia_retrieval_fall: spearmanr(COUNT, closed).statistic - spearmanr(COUNT, three).statistic,
        real.encyclopedia_retrieval_rare_gain: (three - closed)[rare].mean(),
        real.encyclopedia_retrieval_frequent_loss: (closed - three)[frequent].mean(),
        real.encyclopedia_retrieval_decline: spearmanr(COUNT, three).statistic,
        real.encyclopedia_gold_trend: spearmanr(COUNT, gold).statistic,
    }
    for function, number in expected.items():
        sample = function(tables)
        assert value(sample) == pytest.approx(number), function
        assert list(sample.units) == ["articles"]
        assert "(large-llm on questions from an encyclopedia, its articles for documents)" in sample.quantity
    assert value(real.encyclopedia_count_trend(tables, by_family=True)) == pytest.approx(within(COUNT, closed))
    assert value(real.encyclopedia_gold_trend(tables, by_family=True)) == pytest.approx(within(COUNT, gold))
    fall = real.encyclopedia_retrieval_fall(tables, by_family=True)
    assert value(fall) == pytest.approx(within(COUNT, closed) - within(COUNT, three))
    assert "within each family" in fall.quantity
    assert "with 0 to 1 documents minus accuracy with 4 or more" in real.encyclopedia_rare_gap(tables).quantity
    assert decide(real.encyclopedia_count_trend(tables), (0.1, np.inf)) == UPHELD
    assert decide(real.encyclopedia_rare_gap(tables), (-np.inf, -0.1)) == UPHELD
    assert decide(real.encyclopedia_gold_trend(tables), (-np.inf, -0.1)) == UPHELD
    assert decide(real.encyclopedia_retrieval_rare_gain(tables, condition="wrong"), (0.1, np.inf)) == CONTRADICTED


def test_a_trend_between_families_alone_is_none_within_them():
    """Easy families are the frequent ones; within each, the count says nothing."""
    easy = np.array([0.1, 0.4, 0.7, 0.9])
    inputs = planted(easy[FAMILY], FLAT, FLAT)
    count = 2 * FAMILY + 1 + np.random.default_rng(1).integers(0, 2, 240)
    sets = inputs["sets"].with_columns(
        count=pl.when(pl.col("set") == "wiki")
        .then(pl.Series([*np.zeros(240, int), *count, *np.zeros(480, int)]))
        .otherwise("count")
    )
    tables = Tables(inputs | {"sets": sets})
    assert decide(real.encyclopedia_count_trend(tables), (0.1, np.inf)) == UPHELD
    assert abs(value(real.encyclopedia_count_trend(tables, by_family=True))) < 0.15


def test_several_questions_on_an_article_are_one_unit():
    inputs = planted(RISING, FLAT, FLAT)
    shared = inputs["sets"].with_columns(
        passage=pl.when(pl.col("set") == "wiki").then(pl.format("article {}", pl.col("question") // 2)).otherwise("passage")
    )
    sample = real.encyclopedia_count_trend(Tables(inputs | {"sets": shared}))
    assert (list(sample.units), sample.estimate().n) == (["articles"], 120)


def test_what_lacks_is_said():
    inputs = planted(RISING, FLAT, FLAT)
    with pytest.raises(MissingEvidence, match=r"no pretrained model answered questions from the encyclopedia$"):
        real.encyclopedia_count_trend(Tables(inputs | {"sets": inputs["sets"].filter(set="own")}))
    closed = inputs["set_answers"].filter(condition="closed_book")
    with pytest.raises(MissingEvidence, match="no pretrained model answered questions from the encyclopedia with passages"):
        real.encyclopedia_gold_trend(Tables(inputs | {"set_answers": closed}))
    hidden = inputs["set_answers"].with_columns(own=pl.lit(False))
    with pytest.raises(MissingEvidence, match="own passage was shown with 0% of the questions"):
        real.encyclopedia_retrieval_fall(Tables(inputs | {"set_answers": hidden}))
    frequent = inputs["sets"].with_columns(count=pl.lit(9))
    with pytest.raises(MissingEvidence, match=r"0 questions have 0 to 1 documents .*need 30"):
        real.encyclopedia_rare_gap(Tables(inputs | {"sets": frequent}))
