"""Evidence of case 2: numbers by hand, planted effects found both ways, weights that repeat items, and what is lacking said."""

import math

import numpy as np
import polars as pl
import pytest
from planted_facts import DECLARED, asked_of, question_set, runs, suite, with_passages, world
from scipy.stats import spearmanr

from overtime import InputError
from overtime.claims import evidence, facts_evidence, insertion_evidence
from overtime.claims.decisions import CONTRADICTED, UPHELD, decide
from overtime.claims.evidence import MissingEvidence, Sample, Tables
from overtime.tables import VARIANT

count_trend, rare_gap = facts_evidence.count_trend, facts_evidence.rare_gap
insertion_gain, insertion_others = insertion_evidence.insertion_gain, insertion_evidence.insertion_others
TREND, LARGE, SMALL_LOSS = (0.1, math.inf), (0.1, math.inf), (-math.inf, 0.05)
FALL = (-math.inf, -0.1)


def value(sample: Sample) -> float:
    return sample.estimate().estimate


def share(right: int, of: int) -> np.ndarray:
    return (np.arange(of) < right).astype(float)


def by_hand() -> dict[str, pl.DataFrame]:
    """80 questions about 20 people: 8 have no documents, 32 have 1 or 99 and 40 have 100. Two runs of s, one of m."""
    counts = np.repeat([0, 1, 99, 100], [8, 16, 16, 40])
    tables = world(counts, np.zeros(80, int), 20)
    zeros = np.zeros(8)
    right = {("s", 0): (8, 40), ("s", 1): (16, 30), ("m", 0): (24, 40)}  # of 32 and of 40
    scores = {
        (model, "baseline", seed): np.concatenate([zeros, share(rare, 32), share(frequent, 40)])
        for (model, seed), (rare, frequent) in right.items()
    }
    return tables | {"closed_book": runs(scores)}


def test_the_rare_gap_by_hand():
    sample = rare_gap(Tables(by_hand()))
    # s: 8/32 - 40/40 = -.75 and 16/32 - 30/40 = -.25, mean -.5; m: 24/32 - 1 = -.25. Questions without documents do not count.
    assert value(sample) == pytest.approx(-0.375)
    assert sample.note == "over s, m"
    assert {name: len(own) for name, own in sample.runs.items()} == {"s": 2, "m": 1}
    assert list(sample.units) == ["people"]
    assert len(sample.units["people"]) == 72
    with pytest.raises(MissingEvidence, match="16 questions have 1 to 98 documents; need 30"):
        rare_gap(Tables(by_hand()), cut=98)


def test_the_trend_is_the_mean_over_runs_then_sizes():
    inputs = suite("statements", np.random.default_rng(0))
    sample = count_trend(Tables(inputs))
    last = inputs["closed_book"].filter(step=2, arm="baseline").join(inputs["counts"], on="question")
    of_runs = {
        key: spearmanr(run["statements"], run["correct"].cast(pl.Float64)).statistic
        for key, run in last.filter(pl.col("model") != "xs").group_by("model", "seed")
    }
    sizes = [np.mean([trend for (model, _), trend in of_runs.items() if model == size]) for size in ("s", "m")]
    assert value(sample) == pytest.approx(np.mean(sizes))
    assert sample.note == "over s, m; left out where closed-book accuracy is not between 0.05 and 0.95 (xs 0.00)"
    assert sample.quantity == "rank correlation of statement count and closed-book accuracy"


def test_thirds_keep_equal_values_together():
    statements, right = np.random.default_rng(1).permuted(np.tile(np.arange(90), (2, 1)), axis=1)
    comentions = np.repeat([0, 1, 5], [20, 40, 30])
    tables = world(statements, comentions, 30) | {"closed_book": runs({("s", "baseline", 0): (right > 40).astype(float)})}
    thirds = [slice(0, 20), slice(20, 60), slice(60, 90)]
    expected = np.mean([spearmanr(statements[third], right[third] > 40).statistic for third in thirds])
    assert value(count_trend(Tables(tables), within="comentions")) == pytest.approx(expected)
    few = tables | {"counts": tables["counts"].with_columns(comentions=pl.col("comentions").clip(upper_bound=1))}
    with pytest.raises(MissingEvidence, match="2 values of the co-mention count make no thirds"):
        count_trend(Tables(few), within="comentions")


def inserted() -> dict[str, pl.DataFrame]:
    """40 questions, each about its own person: 8 targets with 100 documents, 8 with none, 8 with 30, 16 others."""
    right = {
        ("s", "baseline", 0): [2, 2, 2, 8],
        ("s", "baseline", 1): [4, 4, 4, 16],
        ("s", "baseline", 2): [0, 8, 0, 0],  # nobody's pair
        ("s", "insert_late", 0): [8, 4, 0, 4],
        ("s", "insert_late", 1): [8, 4, 0, 8],
        ("m", "baseline", 0): [2, 2, 2, 8],
        ("m", "insert_late", 0): [6, 2, 0, 8],
        ("m", "insert_spread", 0): [8, 0, 0, 16],
    }
    sizes = (8, 8, 8, 16)
    scores = {key: np.concatenate([share(k, n) for k, n in zip(groups, sizes, strict=True)]) for key, groups in right.items()}
    dose = np.repeat([100, 0, 30], 8)
    targets = pl.DataFrame({"entity": [f"person {number}" for number in range(24)], "inserted": dose})
    ones = np.ones(40, int)
    return world(ones, ones, 40) | {"closed_book": runs(scores), "targets": targets}


def test_insertion_by_hand():
    tables = Tables(inserted())
    # late: s seed 0: 6/8 - 2/8 = .5, seed 1: 4/8 - 0 = .5, mean .5; m: 4/8 - 0 = .5
    assert value(insertion_gain(tables, arm="late")) == pytest.approx(0.5)
    # spread: m alone: 6/8 - (-2/8) = 1
    spread = insertion_gain(tables, arm="spread")
    assert (value(spread), spread.note) == (pytest.approx(1.0), "over m")
    assert value(insertion_gain(tables)) == pytest.approx((0.5 + (0.5 + 1) / 2) / 2)
    # others, late: s: -4/16 and -8/16, mean -.375; m: 0. Those with 30 documents are targets, too.
    others = insertion_others(tables, arm="late")
    assert value(others) == pytest.approx(-0.1875)
    assert len(others.units["people"]) == 16
    assert value(insertion_others(tables, arm="spread")) == pytest.approx(0.5)
    assert insertion_gain(tables).estimate().n == 16  # people of the two groups that are compared
    assert insertion_gain(tables).limits == (-2, 2)  # a loss of 1 minus a gain of 1, and the other way round


def retrieved(own: float = 1.0) -> dict[str, pl.DataFrame]:
    """48 questions about 48 people, half with at most 99 documents and half with 100; one run of s, and xs, always wrong."""
    right = {"closed_book": (6, 24), "bm25_1": (12, 12), "bm25_3": (18, 21), "wrong": (3, 0), "oracle": (24, 24)}
    right |= {"gradient_oracle": (24, 12), "gradient_bm25_3": (18, 6)}
    answers = {
        name: {
            ("s", "baseline", 0): np.concatenate([share(rare, 24), share(frequent, 24)]),
            ("xs", "baseline", 0): np.zeros(48),
        }
        for name, (rare, frequent) in right.items()
    }
    return world(np.repeat([0, 99, 100], [4, 20, 24]), np.zeros(48, int), 48) | {"passages": with_passages(answers, own)}


def test_retrieval_by_hand():
    tables = Tables(retrieved())
    assert value(facts_evidence.retrieval_rare_gain(tables)) == pytest.approx(12 / 24)
    assert value(facts_evidence.retrieval_rare_gain(tables, condition="wrong")) == pytest.approx(-3 / 24)
    assert value(facts_evidence.retrieval_frequent_loss(tables)) == pytest.approx(3 / 24)
    assert value(facts_evidence.retrieval_frequent_loss(tables, condition="bm25_1")) == pytest.approx(12 / 24)

    def trend(rare: int, frequent: int) -> float:
        return spearmanr(np.repeat([0, 99, 100], [4, 20, 24]), np.concatenate([share(rare, 24), share(frequent, 24)])).statistic

    assert value(facts_evidence.retrieval_fall(tables)) == pytest.approx(trend(6, 24) - trend(18, 21))
    assert value(facts_evidence.retrieval_fall(tables, condition="wrong")) == pytest.approx(trend(6, 24) - trend(3, 0))
    assert value(facts_evidence.retrieval_decline(tables)) == pytest.approx(trend(18, 6))
    assert value(facts_evidence.retrieval_decline(tables, world="flat")) == pytest.approx(trend(18, 21))
    assert value(facts_evidence.gold_trend(tables)) == pytest.approx(trend(24, 12))
    with pytest.raises(MissingEvidence, match=r"accuracy with the gold passage is not between 0.05 and 0.95 \(xs 0.00, s 1.00\)"):
        facts_evidence.gold_trend(tables, world="flat")
    quantity = facts_evidence.retrieval_decline(tables).quantity
    assert quantity.endswith("accuracy with 3 retrieved passages and distractors that rise with the count")


def test_own_passages_are_needed_of_what_was_retrieved_alone():
    assert value(facts_evidence.retrieval_rare_gain(Tables(retrieved(own=0.5)))) == pytest.approx(12 / 24)
    seldom = Tables(retrieved(own=0.4))
    for function in (
        facts_evidence.retrieval_fall,
        facts_evidence.retrieval_rare_gain,
        facts_evidence.retrieval_frequent_loss,
    ):
        with pytest.raises(MissingEvidence, match="the own passage was shown with 42% of the questions; need 50%"):
            function(seldom)
        function(seldom, condition="wrong")


def test_planted_effects_are_found_both_ways():
    random = np.random.default_rng(2)
    works, fails = (Tables(suite(cause, random)) for cause in ("statements", "nothing"))
    for function, region in (
        (count_trend, TREND),
        (lambda tables: count_trend(tables, within="comentions"), TREND),
        (rare_gap, FALL),
        (lambda tables: rare_gap(tables, cut=9), FALL),
        (lambda tables: rare_gap(tables, cut=63), FALL),
        (insertion_gain, LARGE),
        (facts_evidence.retrieval_fall, TREND),
    ):
        assert (decide(function(works), region), decide(function(fails), region)) == (UPHELD, CONTRADICTED)
    for tables, wrong in ((works, CONTRADICTED), (fails, CONTRADICTED)):
        assert decide(facts_evidence.retrieval_rare_gain(tables), LARGE) == UPHELD
        assert decide(facts_evidence.retrieval_rare_gain(tables, condition="wrong"), LARGE) == wrong
        assert decide(facts_evidence.retrieval_frequent_loss(tables), SMALL_LOSS) == UPHELD
        assert decide(facts_evidence.retrieval_frequent_loss(tables, condition="wrong"), SMALL_LOSS) == wrong
        for function in (facts_evidence.retrieval_decline, facts_evidence.gold_trend):
            assert decide(function(tables), FALL) == UPHELD
            assert decide(function(tables, world="flat"), FALL) == CONTRADICTED
    assert decide(insertion_others(works, arm="late"), (-0.05, math.inf)) == CONTRADICTED
    assert decide(insertion_others(works, arm="spread"), (-0.05, math.inf)) == UPHELD


def test_what_goes_with_co_mentions_alone_is_found_out_within_their_thirds():
    tables = Tables(suite("comentions", np.random.default_rng(3)))
    assert decide(count_trend(tables), TREND) == UPHELD
    assert abs(value(count_trend(tables, within="comentions"))) < 0.1


EVERY = [count_trend, rare_gap, insertion_gain, facts_evidence.retrieval_fall, facts_evidence.retrieval_rare_gain]
EVERY += [facts_evidence.retrieval_frequent_loss, facts_evidence.retrieval_decline, facts_evidence.gold_trend]


@pytest.mark.parametrize("function", EVERY, ids=lambda function: function.__name__)
def test_weights_are_repeated_items(function):
    inputs = suite("statements", np.random.default_rng(4))
    sample = function(Tables(inputs))
    people = next(iter(sample.units.values()))
    times = {person: number % 3 for number, person in enumerate(np.unique(people))}  # a third of the people is left out
    weights = np.array([[times[person] for person in people]], float)
    weighted = np.mean([np.mean([float(run(weights)[0]) for run in own]) for own in sample.runs.values()])
    entity = inputs["questions"].filter(group="evaluation")
    copies = pl.concat(
        entity.filter(pl.col("entity").replace_strict(times, default=1) > copy).select("question", copy=pl.lit(copy))
        for copy in (0, 1)
    )
    repeated = {
        name: table.join(copies, on="question").with_columns(question=pl.col("question") + 10_000 * pl.col("copy")).drop("copy")
        if "question" in table.columns
        else table
        for name, table in inputs.items()
    }
    assert value(function(Tables(repeated))) == pytest.approx(weighted)


def real(random: np.random.Generator) -> dict[str, pl.DataFrame]:
    """A large and a tiny model on two sets that their corpus was counted for, and on our own questions, with opposite trends."""
    counts = {"trivia": np.arange(200), "nq": np.arange(100), "own": np.arange(0, 480, 4)}
    tables = []
    for name, count in counts.items():
        rising = (random.uniform(size=len(count)) < count / count.max()).astype(float)
        shown = {"bm25_1": 1 - rising, "oracle": 1 - rising, "wrong": 0 * rising} if name != "trivia" else {}
        tables.append(asked_of("large-llm", name, closed_book=rising, **shown))
        tables.append(asked_of("tiny-llm", name, closed_book=1 - rising, bm25_1=rising, oracle=rising, wrong=rising))
    counted = pl.concat(
        pl.DataFrame({"question": np.arange(len(counts[name])), "count": counts[name]}).with_columns(
            set=pl.lit(name), corpus=pl.lit("pile")
        )
        for name in ("trivia", "nq")
    )
    sets = pl.concat([question_set("own", counts["own"]), *(question_set(name, counts[name]) for name in ("trivia", "nq"))])
    return {"set_answers": pl.concat(tables), "set_counts": counted, "sets": sets}


def test_pretrained_models_with_counts_take_the_place_of_the_suite():
    """The largest one on its largest set: neither a smaller model, nor a second set, nor the suite is pooled with it."""
    inputs = suite("nothing", np.random.default_rng(5)) | real(np.random.default_rng(5))
    trend = count_trend(Tables(inputs))
    assert decide(trend, TREND) == UPHELD
    assert (list(trend.units), trend.estimate().n, list(trend.runs)) == (["questions"], 200, ["large-llm"])
    assert trend.quantity.endswith("(large-llm on trivia, documents of pile)")
    fall = facts_evidence.retrieval_fall(Tables(inputs))  # only the smaller set was asked with passages
    assert (decide(fall, TREND), fall.estimate().n) == (UPHELD, 100)
    assert decide(facts_evidence.gold_trend(Tables(inputs)), FALL) == UPHELD
    with pytest.raises(MissingEvidence, match="no real questions that are known to be as hard at every count"):
        facts_evidence.gold_trend(Tables(inputs), world="flat")
    with pytest.raises(MissingEvidence, match="not known which state a fact"):
        count_trend(Tables(inputs), within="comentions")
    with pytest.raises(MissingEvidence, match="real questions have no variant second"):
        rare_gap(Tables(inputs), variant="second")
    uncounted = inputs | {"models": DECLARED["models"].with_columns(corpus=pl.lit(None, pl.String))}
    assert list(count_trend(Tables(uncounted)).units) == ["people"]


def test_proxies_are_those_of_our_own_questions():
    inputs = {**DECLARED, **real(np.random.default_rng(6))}
    tables = Tables(inputs)
    trend = facts_evidence.proxy_count_trend(tables)
    assert (decide(trend, TREND), trend.estimate().n, list(trend.units)) == (UPHELD, 120, ["questions"])
    assert trend.quantity.endswith("(large-llm on our own questions, word frequency for documents)")
    answers = inputs["set_answers"].filter(set="own", model="large-llm")
    closed, shown = (answers.filter(condition=name)["correct"].cast(pl.Float64).to_numpy() for name in ("closed_book", "bm25_1"))
    count = np.arange(0, 480, 4)
    expected = spearmanr(count, closed).statistic - spearmanr(count, shown).statistic
    assert value(facts_evidence.proxy_retrieval_fall(tables)) == pytest.approx(expected)
    rare = count <= 99
    assert value(facts_evidence.proxy_retrieval_rare_gain(tables)) == pytest.approx((shown - closed)[rare].mean())
    assert value(facts_evidence.proxy_retrieval_frequent_loss(tables)) == pytest.approx((closed - shown)[~rare].mean())
    assert value(facts_evidence.proxy_retrieval_frequent_loss(tables, condition="wrong")) == pytest.approx(closed[~rare].mean())
    assert value(facts_evidence.proxy_retrieval_decline(tables)) == pytest.approx(spearmanr(count, shown).statistic)
    assert decide(facts_evidence.proxy_gold_trend(tables), FALL) == UPHELD
    shared = inputs | {"sets": question_set("own", count, [f"passage {number // 2}" for number in range(120)])}
    trend = facts_evidence.proxy_count_trend(Tables(shared))
    assert (list(trend.units), trend.estimate().n) == (["passages"], 60)
    with pytest.raises(MissingEvidence, match="no pretrained model answered the question set own"):
        facts_evidence.proxy_count_trend(Tables(inputs | {"set_answers": inputs["set_answers"].filter(set="nq")}))


def test_the_average_is_that_of_the_176b_model():
    answers = pl.concat(
        [asked_of("talks", "trivia", closed_book=share(33, 60)), asked_of("large-llm", "trivia", closed_book=share(1, 60))]
    )
    smaller = pl.concat(
        [asked_of("talks", "nq", closed_book=share(0, 20)), asked_of("nearly", "trivia", closed_book=share(2, 60))]
    )
    sample = facts_evidence.average_accuracy(Tables({**DECLARED, "set_answers": pl.concat([answers, smaller])}))
    assert value(sample) == pytest.approx(0.55)
    assert sample.quantity == "closed-book accuracy (talks on trivia)"
    with pytest.raises(MissingEvidence, match="no model with 176 billion parameters answered questions"):
        facts_evidence.average_accuracy(Tables({**DECLARED, "set_answers": answers.filter(model="large-llm")}))


def test_people_are_set_against_the_first_corpus():
    human = np.linspace(1, 0, 40)
    sets = question_set("nq", np.arange(40)).with_columns(human=pl.Series(human))
    counts = pl.DataFrame({"question": np.arange(40), "count": np.arange(40)}).with_columns(
        set=pl.lit("nq"), corpus=pl.lit("pile")
    )
    second = counts.with_columns(count=-pl.col("count"), corpus=pl.lit("roots"))
    sample = facts_evidence.human_trend(Tables({"sets": sets, "set_counts": pl.concat([second, counts])}))
    assert value(sample) == pytest.approx(-1)
    with pytest.raises(MissingEvidence, match="no answers of several human annotators"):
        facts_evidence.human_trend(Tables({"sets": sets.with_columns(human=pl.lit(None, pl.Float64)), "set_counts": counts}))


def test_variants_of_the_world_are_judged_apart(monkeypatch):
    for name in ("questions", "counts", "closed_book"):
        monkeypatch.setitem(evidence.INPUTS, f"variant_{name}", VARIANT)
    main, second = suite("statements", np.random.default_rng(7)), suite("nothing", np.random.default_rng(7))
    variants = {
        f"variant_{name}": second[name].with_columns(variant=pl.lit("second")) for name in ("questions", "counts", "closed_book")
    }
    tables = Tables(main | variants)
    for function, region in ((count_trend, TREND), (rare_gap, FALL)):
        assert decide(function(tables), region) == UPHELD
        assert decide(function(tables, variant="second"), region) == CONTRADICTED
    with pytest.raises(MissingEvidence, match="no variant of the world called third"):
        count_trend(tables, variant="third")
    with pytest.raises(MissingEvidence, match="there is no variant"):
        count_trend(Tables(main), variant="second")


@pytest.mark.parametrize(
    ("change", "function", "message"),
    [
        ({"closed_book": None}, count_trend, "there is no closed book table"),
        ({"closed_book": pl.col("model") == "xs"}, count_trend, r"closed-book accuracy is not between 0.05 and 0.95 \(xs 0.00\)"),
        ({"closed_book": pl.col("arm") != "baseline"}, count_trend, "no model has an arm baseline"),
        ({"questions": pl.col("question") < 12}, rare_gap, None),
        (
            {"closed_book": pl.col("arm") == "baseline"},
            insertion_gain,
            "no model was trained with documents inserted late or spread",
        ),
        ({"targets": None}, insertion_gain, "no model is trained with inserted documents"),
        ({"targets": pl.col("inserted") == 0}, insertion_gain, "0 people are too few for the accuracy gain with 100 documents"),
        ({"targets": pl.col("inserted") == 100}, insertion_gain, "0 people are too few"),
        ({"closed_book": (pl.col("arm") != "baseline") | (pl.col("seed") == "1")}, insertion_gain, "no baseline of m, seed 0"),
        ({"passages": None}, facts_evidence.retrieval_fall, "no model of the suite answers with passages"),
        (
            {"passages": ~pl.col("condition").str.contains("bm25")},
            facts_evidence.retrieval_fall,
            "no answers under a condition bm25_k",
        ),
        (
            {"passages": ~pl.col("condition").str.contains("gradient")},
            facts_evidence.retrieval_decline,
            "condition gradient_bm25_k",
        ),
        ({"passages": ~pl.col("condition").str.contains("gradient")}, facts_evidence.gold_trend, "the condition gradient_oracle"),
        ({"passages": pl.col("condition") != "closed_book"}, facts_evidence.retrieval_fall, "the condition closed_book"),
        ({"counts": pl.col("question") != 7}, count_trend, None),
    ],
)
def test_what_is_lacking_is_named(change, function, message):
    inputs = suite("statements", np.random.default_rng(8))
    changed = {name: inputs[name].filter(rows) if rows is not None else None for name, rows in change.items()}
    if message is None:
        with pytest.raises(InputError, match=r"no entity of question 12, which was answered|question 7 lacks its entity, count"):
            function(Tables(inputs | changed))
    else:
        with pytest.raises(MissingEvidence, match=message):
            function(Tables(inputs | changed))


def test_few_people_on_one_side_are_too_few():
    """30 frequent questions about five people are no 30 units."""
    inputs = by_hand()
    entity = (
        pl.when(pl.col("question") < 40)
        .then(pl.format("rare {}", pl.col("question")))
        .otherwise(pl.format("frequent {}", pl.col("question") % 5))
    )
    few = inputs | {"questions": inputs["questions"].with_columns(entity=entity)}
    with pytest.raises(MissingEvidence, match="5 people are too few for the closed-book accuracy"):
        rare_gap(Tables(few))


@pytest.mark.parametrize(
    ("function", "options", "message"),
    [
        (count_trend, {"within": "counts"}, "within counts: unknown; known is comentions"),
        (insertion_gain, {"arm": "early"}, "arm early: unknown; known are late, spread"),
        (facts_evidence.gold_trend, {"world": "round"}, "world round: unknown; known are gradient, flat"),
    ],
)
def test_unknown_options_are_refused(function, options, message):
    with pytest.raises(InputError, match=message):
        function(Tables(suite("statements", np.random.default_rng(9))), **options)


def test_rows_that_occur_twice_are_refused():
    inputs = suite("statements", np.random.default_rng(10))
    for name, function in (
        ("counts", count_trend),
        ("questions", count_trend),
        ("closed_book", count_trend),
        ("closed_book", insertion_gain),
        ("targets", insertion_gain),
        ("passages", facts_evidence.retrieval_fall),
    ):
        twice = inputs | {name: pl.concat([inputs[name], inputs[name].head(600).tail(1)])}
        if name == "closed_book":
            twice = inputs | {name: pl.concat([inputs[name], inputs[name].filter(step=2, arm="baseline", model="s").head(1)])}
        with pytest.raises(InputError):
            function(Tables(twice))
