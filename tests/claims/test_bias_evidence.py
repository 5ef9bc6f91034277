"""Evidence of case study 1: its statistics by hand and against peers, planted effects found, and what is lacking said."""

import numpy as np
import planted_bias as planted
import polars as pl
import pytest
from planted_bias import pairs, published, suite, variant
from sklearn.metrics import roc_auc_score

from overtime import InputError
from overtime.bias.reference_counts import texts_at_hand
from overtime.claims import baseline_evidence as baseline
from overtime.claims import bias_evidence as bias
from overtime.claims import bias_statistics as statistics
from overtime.claims.bias_measures import corpus_log_odds
from overtime.claims.claim_file import read_claims
from overtime.claims.decisions import decide
from overtime.claims.evidence import MissingEvidence, Record, Tables
from overtime.claims.released_bias_evidence import all_references, released_size_contrast
from overtime.files import RESOURCES
from overtime.tables import RELEASED_PARAMETERS

ONES = np.ones((1, 6))
SIZES = ("xs", "s", "m")
INF = float("inf")
# A swap that makes every model prefer the feminine sentence and forget half of the association, and an augmentation that works.
BASE, SWAP, CDA = {"slope": 0.8}, {"slope": 0.4, "shift": 8.0}, {"slope": 0.05}
ARMS = {
    (size, arm): how
    for size in SIZES
    for arm, how in (("baseline", BASE), ("swap14", SWAP), ("swap7", {"slope": 0.7}), ("cda14", CDA))
}
SHIFTS = {(size, arm): shift for size in SIZES for arm, shift in (("baseline", 0.0), ("swap14", 8.0), ("cda14", 0.1))}


@pytest.fixture(scope="module")
def inputs() -> dict[str, pl.DataFrame]:
    return suite(ARMS, SHIFTS)


@pytest.fixture(scope="module")
def tables(inputs) -> Tables:
    return Tables(inputs)


@pytest.fixture(scope="module")
def null(inputs) -> Tables:
    """The world beside one without association, whose models still like the feminine sentence better."""
    arms = {("s", "baseline"): {"shift": 0.2}, ("s", "swap14"): {"shift": 9.0, "own": 0.3}}
    return Tables(inputs | variant("null", 0.0, arms))


def interval(evidence) -> tuple[float, float, float]:
    found = evidence.estimate().interval()
    return found.estimate, found.lower, found.upper


def test_shares_of_preferred_stereotypes_by_hand():
    scores, sides = [1, -1, 2, 3, -4, 0], ["feminine"] * 2 + ["masculine"] * 4  # a tie prefers nothing
    assert statistics.preference_of(scores, sides, 0.5)(ONES) == pytest.approx([0.5])
    assert statistics.preference_of(scores, sides, 0.25)(np.array([[2, 1, 1, 0, 1, 0]])) == pytest.approx(
        [0.25 * 2 / 3 + 0.75 / 2]
    )
    assert statistics.imbalance_of([-1, -1, -1, 1])(np.ones((1, 4))) == pytest.approx([0.25])


def test_ranking_by_hand():
    log_odds, masculine, templates = [2, 0, 1, 5, 5, -9], [True, True, False, True, False, True], [0, 0, 0, 1, 1, 2]
    ranking = statistics.ranking_of(log_odds, masculine, templates)
    # 2 > 1 and 0 < 1 in the first template, a tie in the second; the third has nothing to compare
    assert ranking(ONES) == pytest.approx([(1 + 0 + 0.5) / 3])
    assert ranking(np.array([[3, 1, 2, 1, 1, 1]])) == pytest.approx([(6 + 0 + 0.5) / 9])
    assert np.isnan(ranking(np.array([[1, 1, 0, 1, 0, 1]]))).all()


def test_ranking_is_the_area_under_the_curve_of_each_template():
    random = np.random.default_rng(0)
    templates, masculine = np.repeat(np.arange(5), 12), random.random(60) < 0.5
    values = np.round(random.normal(size=60) + masculine, 1)  # with ties
    areas, met = [], []
    for template in range(5):
        own = templates == template
        areas.append(roc_auc_score(masculine[own], values[own]))
        met.append(masculine[own].sum() * (~masculine[own]).sum())
    ranking = statistics.ranking_of(values, masculine, templates)(np.ones((1, 60)))
    assert ranking == pytest.approx([np.average(areas, weights=met)])
    shifted = statistics.ranking_of(values + 100 * templates, masculine, templates)
    assert shifted(np.ones((1, 60))) == pytest.approx(ranking), "what moves a whole template changes no order"


def test_slope_and_correlation_by_hand():
    y, x, templates = [5, 7, 1, 2], [0, 1, 0, 2], [0, 0, 1, 1]
    # deviations: x .5 and 1, y 1 and .5, so that the products are 1 + 1, the squares of x .5 + 2, of y 2 + .5
    assert statistics.slope_of(y, x, templates)(np.ones((1, 4))) == pytest.approx([0.8])
    assert statistics.correlation_of(y, x, templates)(np.ones((1, 4))) == pytest.approx([0.8])
    assert statistics.slope_of(y, x, templates)(np.array([[1, 1, 1, 0]])) == pytest.approx([2.0])


def test_slope_is_that_of_least_squares_with_a_level_for_each_template():
    random = np.random.default_rng(1)
    templates, x = np.repeat(np.arange(4), 10), random.normal(size=40)
    y, weights = 0.6 * x + 5 * templates + random.normal(size=40), random.integers(0, 4, 40).astype(float)
    design = np.column_stack([x, templates[:, None] == np.arange(4)]) * np.sqrt(weights)[:, None]
    expected = np.linalg.lstsq(design, y * np.sqrt(weights), rcond=None)[0][0]
    assert statistics.slope_of(y, x, templates)(weights[None]) == pytest.approx([expected])


def test_nothing_to_compare_is_undefined_and_no_deviation_is_no_association():
    templates, level = np.repeat(np.arange(3), 2), np.repeat([0.1, 0.7, 1.3], 2)
    assert np.isnan(statistics.slope_of(np.arange(6), level, templates)(ONES)).all(), "x varies between templates only"
    assert np.isnan(statistics.correlation_of(np.arange(6), level, templates)(ONES)).all()
    assert statistics.correlation_of(level, np.arange(6), templates)(ONES) == pytest.approx([0])
    assert statistics.slope_of(1e-9 * np.arange(6), np.arange(6), templates)(ONES) == pytest.approx([1e-9]), (
        "small is not constant"
    )


@pytest.mark.parametrize("name", ["preference", "imbalance", "ranking", "slope", "correlation"])
def test_weights_are_repeated_items(name):
    random = np.random.default_rng(2)
    templates, masculine = random.integers(0, 3, 30), random.random(30) < 0.5
    y, x = np.round(random.normal(size=(2, 30)), 1)
    weights = random.integers(0, 3, (5, 30))
    sides = np.where(masculine, "masculine", "feminine")
    make = {
        "preference": lambda items: statistics.preference_of(y[items], sides[items], 0.3),
        "imbalance": lambda items: statistics.imbalance_of(y[items]),
        "ranking": lambda items: statistics.ranking_of(y[items], masculine[items], templates[items]),
        "slope": lambda items: statistics.slope_of(y[items], x[items], templates[items]),
        "correlation": lambda items: statistics.correlation_of(y[items], x[items], templates[items]),
    }[name]
    weighted = make(np.arange(30))(weights.astype(float))
    for row, value in zip(weights, weighted, strict=True):
        items = np.repeat(np.arange(30), row)
        assert make(items)(np.ones((1, len(items)))) == pytest.approx([value])


def test_contrast_weights():
    assert statistics.contrast_weights({"a": 1, "b": np.e, "c": np.e**2}) == pytest.approx({"a": -1, "b": 0, "c": 1})
    assert statistics.contrast_weights({"large": 9.0, "small": 0.1}) == pytest.approx({"large": 1, "small": -1})
    parameters, values = {"a": 0.07, "b": 0.41, "c": 1.4, "d": 6.9}, np.array([0.2, 0.5, 0.4, 0.9])
    x = np.log(list(parameters.values()))
    weights = np.array(list(statistics.contrast_weights(parameters).values()))
    assert weights.sum() == pytest.approx(0)
    assert weights @ values == pytest.approx(np.polyfit(x, values, 1)[0] * np.ptp(x))


def test_range_of_statistics():
    levels = [lambda weights, level=level: level * weights[:, 0] for level in (3.0, -1.0, 2.0)]
    assert statistics.range_of(levels)(np.array([[1.0], [2.0]])) == pytest.approx([4, 8])


def test_the_planted_swap_is_found(tables):
    shift = bias.swap_shift(tables)
    assert (list(shift.units), shift.estimate().n) == (["frames", "occupations"], 8)
    assert interval(shift)[0] == pytest.approx(8, abs=0.05)
    assert decide(shift, (0.69, INF)) == "upheld"
    assert decide(bias.augmentation_shift(tables), (-0.69, 0.69)) == "upheld"
    # Nearly all stereotypes are preferred before; after it all feminine ones, and no masculine one.
    changes = {mix: interval(bias.swap_change(tables, mix=mix))[0] for mix in (0.3, 0.608, 0.8)}
    assert changes == pytest.approx({mix: 0.93 - mix for mix in changes}, abs=0.05)
    assert bias.swap_change(tables).estimate() == bias.swap_change(tables, mix=0.608).estimate()
    assert decide(bias.swap_ranking(tables), (-0.05, 0.05)) == "upheld"
    assert interval(bias.swap_association(tables))[0] == pytest.approx(0.4, abs=1e-9), "the same noise on either side"
    assert interval(bias.augmentation_association(tables))[0] == pytest.approx(0.75, abs=1e-9)
    for side in ("feminine", "masculine"):
        assert decide(bias.swap_side(tables, side=side), (0.05, INF)) == "contradicted"
        assert decide(bias.augmentation_side(tables, side=side), (0.05, INF)) == "upheld"
    assert bias.swap_side(tables, side="feminine").estimate().n == 24
    assert len(np.unique(bias.swap_side(tables, side="feminine").units["occupations"])) == 36


def test_a_dose_is_the_arm_of_that_share(tables):
    assert "14 % swap" in bias.swap_change(tables).quantity
    weak = bias.swap_association(tables, dose=0.07)
    assert "7 % swap" in weak.quantity
    assert interval(weak)[0] == pytest.approx(0.1, abs=1e-9)
    with pytest.raises(MissingEvidence, match="in every document of the last 21 %"):
        bias.swap_change(tables, dose=0.21)


def test_runs_of_an_arm_are_paired_with_the_baselines_of_their_seeds(inputs):
    """What runs differ by before the swap is no spread of its effect, in whatever order the rows are."""
    shuffled = inputs | {"pair_scores": inputs["pair_scores"].sample(fraction=1, shuffle=True, seed=3)}
    assert interval(bias.swap_association(Tables(shuffled)))[0] == pytest.approx(0.4, abs=1e-9)
    assert bias.swap_association(Tables(shuffled)).estimate().standard_error < 1e-9
    assert bias.swap_association(Tables(inputs)).note == ""
    alone = inputs["pair_scores"].filter(~((pl.col("model") == "xs") & (pl.col("seed") == "1") & (pl.col("arm") == "swap14")))
    left = bias.swap_association(Tables(inputs | {"pair_scores": alone}))
    assert left.note == "without both a baseline and such an arm: xs (seed 1)"
    assert {size: len(runs) for size, runs in left.runs.items()} == {"m": 2, "s": 2, "xs": 1}


def test_pairs_that_a_run_lacks_are_left_out_and_told(inputs):
    scores = inputs["pair_scores"].filter(~((pl.col("model") == "s") & (pl.col("seed") == "0") & (pl.col("pair") < 5)))
    evidence = bias.swap_change(Tables(inputs | {"pair_scores": scores}))
    assert evidence.note == "of 288 pairs the 283 that all runs score"


def test_models_that_follow_their_corpus(tables):
    slope, correlation = baseline.association_slope(tables), baseline.association_correlation(tables)
    assert interval(slope)[0] == pytest.approx(0.8, abs=0.02)
    assert (decide(slope, (1, INF)), decide(correlation, (0.1, INF))) == ("contradicted", "upheld")
    strong = Tables(suite({(size, "baseline"): {"slope": 1.3} for size in SIZES}))
    assert decide(baseline.association_slope(strong), (1, INF)) == "upheld"
    # Log-odds at a third, two thirds and all of training: the slope goes from .27 to .8.
    assert interval(baseline.association_drift(tables))[0] == pytest.approx(0.8 * 2 / 3, abs=0.02)
    assert decide(baseline.association_drift(tables), (-INF, 0.05)) == "contradicted"


def test_a_settled_association_has_no_drift(inputs):
    scores = inputs["pair_scores"].filter(step=30)
    settled = pl.concat([scores.with_columns(step=pl.lit(step, pl.Int32)) for step in (10, 20, 30)])
    assert interval(baseline.association_drift(Tables(inputs | {"pair_scores": settled})))[0] == pytest.approx(0)


def test_larger_models_with_more_association(tables):
    gains = suite({(size, "baseline"): {"slope": slope, "noise": 1.0} for size, slope in zip(SIZES, (0.1, 0.5, 1.5))}, seeds=3)
    more, order = baseline.size_contrast(Tables(gains)), baseline.size_ranking(Tables(gains))
    by_hand = np.polyfit(np.log([1e-5, 1e-4, 4e-4]), _of_sizes(gains), 1)[0] * np.log(40)
    assert interval(more)[0] == pytest.approx(by_hand)
    assert (decide(more, (0, INF)), decide(order, (0.05, INF))) == ("upheld", "upheld")
    assert more.weights == pytest.approx(statistics.contrast_weights({"m": 4e-4, "s": 1e-4, "xs": 1e-5}))
    assert decide(baseline.size_contrast(tables), (0.1, INF)) == "contradicted"
    assert decide(baseline.size_ranking(tables), (0.05, INF)) == "contradicted"


def _of_sizes(inputs: dict[str, pl.DataFrame]) -> list[float]:
    """Mean over runs of the share of preferred stereotypes, both directions alike, of every size."""
    final = inputs["pair_scores"].filter(step=30).join(inputs["pairs"], on="pair")
    shares = final.group_by("model", "direction").agg((pl.col("ll_more") > pl.col("ll_less")).mean())
    of = dict(shares.group_by("model").agg(pl.mean("ll_more")).iter_rows())
    return [of[size] for size in SIZES]


def test_what_the_association_does_is_found_beyond_the_null_world(null, tables):
    assert decide(baseline.ranking_beyond_null(null), (0.05, INF)) == "upheld"
    assert decide(baseline.stereotype_beyond_null(null), (0.05, INF)) == "upheld"
    assert decide(baseline.correlation_beyond_null(null), (0.1, INF)) == "upheld"
    assert decide(bias.swap_association(null, variant="null"), (-0.1, 0.1)) == "upheld"
    assert list(baseline.ranking_beyond_null(null).runs) == ["s"]  # the size of the null world alone
    for function in (baseline.ranking_beyond_null, baseline.stereotype_beyond_null, baseline.correlation_beyond_null):
        with pytest.raises(MissingEvidence, match="no variant"):
            function(tables)


def test_what_the_null_world_shows_as_well_is_not_the_associations(inputs):
    """The same models in both: the design alone would do it."""
    same = {key: table.filter(model="s", arm="baseline") for key, table in inputs.items() if key == "pair_scores"}
    leaking = {"variant_pairs": inputs["pairs"], "variant_pair_scores": same["pair_scores"]}
    both = Tables(inputs | {name: table.with_columns(variant=pl.lit("null")) for name, table in leaking.items()})
    for function in (baseline.ranking_beyond_null, baseline.stereotype_beyond_null, baseline.correlation_beyond_null):
        assert interval(function(both))[0] == 0
        assert decide(function(both), (0.05, INF)) != "upheld"


def test_the_null_world_is_held_against_the_association_of_the_world():
    """Its own documents have none but by chance; those of another variant are its own."""
    tables = Tables({"pairs": pairs(), "variant_pairs": variant("half", 0.5, {("s", "baseline"): {}})["variant_pairs"]})
    world, null, half = (corpus_log_odds(tables, name) for name in (None, "null", "half"))
    assert null == world
    assert half["occupation 71"] == pytest.approx(world["occupation 71"] / 2, abs=0.05)
    assert world["occupation 0"] == pytest.approx(np.log((19 + 0.5) / (381 + 0.5)))


def test_a_variant_is_judged_by_itself(tables, inputs):
    half = variant("half", 0.5, {("s", "baseline"): {"slope": 0.6}, ("s", "swap14"): {"slope": 0.1}})
    both = Tables(inputs | half)
    assert interval(bias.swap_association(both, variant="half"))[0] == pytest.approx(2 * 0.5, abs=0.05)  # on half the log-odds
    assert interval(bias.swap_association(both))[0] == interval(bias.swap_association(tables))[0]
    with pytest.raises(MissingEvidence, match="no variant of the world called null"):
        baseline.ranking_beyond_null(both)


RELEASED = {("pythia-70m", "baseline"): 0.7, ("pythia-70m", "swap7"): 0.7}
RELEASED |= {("pythia-1.4b", arm): 0.7 for arm in ("baseline", "swap7", "swap21")}


def test_published_checkpoints_are_judged_instead_of_the_suite(inputs):
    both = Tables(inputs | published(RELEASED))
    swap = bias.swap_change(both)
    assert (list(swap.units), swap.estimate().n, swap.estimate().repeated) == (["pairs"], 150, False)
    assert "7 % swap, published checkpoints" in swap.quantity
    assert interval(swap)[0] == pytest.approx(0, abs=0.1)
    assert interval(bias.swap_shift(both))[0] == pytest.approx(2)
    assert interval(bias.swap_ranking(both))[0] == interval(bias.swap_ranking(Tables(published(RELEASED))))[0]
    assert bias.swap_side(both, side="masculine").estimate().n == 50
    longer = bias.swap_change(both, dose=0.21)
    assert "21 % swap, published checkpoints" in longer.quantity
    assert "pythia-70m" in longer.note
    with pytest.raises(MissingEvidence, match="of the last 14 %"):
        bias.swap_change(both, dose=0.14)  # rather than an answer about other models
    for suite_alone in (bias.swap_association, bias.augmentation_shift, baseline.size_contrast, baseline.size_ranking):
        assert "published" not in suite_alone(both).quantity, "what published checkpoints do not allow is left to the suite"


def without(inputs: dict, condition: pl.Expr) -> dict:
    return inputs | {"pair_scores": inputs["pair_scores"].filter(condition)}


LACKING = {
    "needs 3 sizes with two runs each; there are m 2, s 1, xs 2": (
        baseline.size_contrast,
        (pl.col("model") != "s") | (pl.col("seed") == "0"),
    ),
    "needs 3 sizes with two runs each; there are s 2, xs 2": (baseline.size_ranking, pl.col("model") != "m"),
    "needs 2 sizes with two runs each; there are m 1, s 2, xs 1": (
        lambda tables: bias.augmentation_side(tables, side="feminine"),
        (pl.col("model") == "s") | (pl.col("seed") == "0"),
    ),
    "needs 1 size with two runs each; there are m 1, s 1, xs 1": (bias.augmentation_association, pl.col("seed") == "0"),
    "the baselines are not all scored at 3 checkpoints": (baseline.association_drift, pl.col("step") > 10),
    "no arm swaps both ways in a part of the documents$": (
        lambda tables: bias.augmentation_side(tables, side="feminine"),
        pl.col("arm") != "cda14",
    ),
    "no arm rewrites masculine as feminine words": (bias.swap_change, ~pl.col("arm").str.starts_with("swap")),
    "no model has an arm baseline": (bias.swap_ranking, pl.col("arm") != "baseline"),
    "no model has both a baseline and such an arm": (
        bias.swap_ranking,
        (pl.col("arm") == "baseline") == (pl.col("model") == "xs"),
    ),
    "no pair is scored by all runs": (bias.swap_ranking, (pl.col("pair") < 100) == (pl.col("model") == "xs")),
}


@pytest.mark.parametrize("lacking", LACKING)
def test_what_lacks_is_said(inputs, lacking):
    evidence, condition = LACKING[lacking]
    with pytest.raises(MissingEvidence, match=lacking):
        evidence(Tables(without(inputs, condition)))


@pytest.mark.parametrize(
    ("change", "lacking"),
    [
        ({"direction": pl.lit("feminine")}, "all pairs have a feminine stereotype"),
        (
            {"masculine": pl.lit(7), "feminine": pl.lit(3)},
            "the documents name all occupations of a template with either gender alike",
        ),
    ],
)
def test_pairs_that_show_nothing_are_said(inputs, change, lacking):
    with pytest.raises(MissingEvidence, match=lacking):
        bias.swap_association(Tables(inputs | {"pairs": inputs["pairs"].with_columns(**change)}))


def test_swaps_of_different_shares_are_not_compared(inputs):
    share = pl.when(model="xs").then(pl.lit("swap7")).when(model="s").then(pl.lit("swap21")).otherwise("arm")
    scores = inputs["pair_scores"].filter(pl.col("arm").is_in(["baseline", "swap14"]), pl.col("model") != "m")
    scores = scores.with_columns(arm=pl.when(arm="baseline").then("arm").otherwise(share))
    with pytest.raises(MissingEvidence, match="of one last share in all models"):
        bias.swap_change(Tables(inputs | {"pair_scores": scores}))


def test_templates_of_one_direction_have_no_order(inputs):
    parted = inputs["pairs"].with_columns(template=pl.col("template") + pl.when(direction="masculine").then(100).otherwise(0))
    with pytest.raises(MissingEvidence, match="no template has pairs of both directions"):
        bias.swap_ranking(Tables(inputs | {"pairs": parted}))


def test_sizes_of_one_size_are_no_trend(inputs):
    models = inputs["models"].with_columns(parameters=pl.lit(0.1))
    with pytest.raises(MissingEvidence, match="all models are of one size"):
        baseline.size_contrast(Tables(inputs | {"models": models}))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda pairs: pairs.filter(pl.col("pair") != 7), "pairs: pair 7 is scored, but not among them"),
        (lambda pairs: pl.concat([pairs, pairs[:1]]), "pairs: more than one row of pair 0"),
        (
            lambda pairs: pairs.with_columns(direction=pl.col("direction").str.to_uppercase()),
            "direction 'FEMININE'; expected feminine",
        ),
        (
            lambda pairs: pairs.with_columns(masculine=pl.when(pair=0).then(9).otherwise("masculine")),
            "pairs: documents of an occupation: more than one row of occupation",
        ),
        (lambda pairs: pairs.with_columns(feminine=-pl.col("feminine")), "pairs: a negative number of documents"),
        (lambda pairs: pairs.drop("masculine"), "pairs: no column masculine"),
    ],
)
def test_pairs_that_cannot_be_right_are_refused_in_one_line(inputs, change, problem):
    with pytest.raises(InputError, match=problem) as raised:
        bias.swap_association(Tables(inputs | {"pairs": change(inputs["pairs"])}))
    assert "\n" not in str(raised.value)


def test_options_that_cannot_be_right_are_refused(tables):
    with pytest.raises(InputError, match="mix 60; expected the share of feminine pairs, from 0 to 1"):
        bias.swap_change(tables, mix=60)
    with pytest.raises(InputError, match="side 'women'; expected feminine or masculine"):
        bias.swap_side(tables, side="women")


def test_a_size_that_is_not_declared_is_refused(inputs):
    models = inputs["models"].filter(pl.col("model") != "s")
    with pytest.raises(InputError, match="model s: its parameters are not declared"):
        baseline.size_contrast(Tables(inputs | {"models": models}))


def test_an_arm_is_what_its_settings_say(inputs):
    """Whatever its name; of arms alike the runs are the same, and count once; of two-way arms the nearest to half is taken."""
    alike = inputs["pair_scores"].filter(arm="swap14").with_columns(arm=pl.lit("late"))
    weak = inputs["pair_scores"].filter(arm="swap7").with_columns(arm=pl.lit("cda-some"))
    arms = planted.ARMS | {"late": planted.ARMS["swap14"], "cda-some": planted.ARMS["cda14"] | {"probability": 0.1}}
    declared = planted.declarations(planted.PARAMETERS, {}, arms, planted.PUBLISHED)
    more = Tables(inputs | declared | {"pair_scores": pl.concat([inputs["pair_scores"], alike, weak])})
    plain = Tables(inputs)
    for evidence in (bias.swap_change, bias.swap_shift, bias.augmentation_association):
        assert interval(evidence(more)) == pytest.approx(interval(evidence(plain)), nan_ok=True)


CURVES = RESOURCES / "released/pythia_crows_gender.csv"


def test_the_released_contrast_over_four_baselines():
    contrast = released_size_contrast(Tables({"released_crows_pairs": CURVES}))
    released = pl.read_csv(CURVES).filter(arm="baseline", code="8164ebc").filter(pl.col("step") >= 113_000)
    late = released.group_by("model").agg(pl.mean("pct_stereotype", "stderr"))
    x = np.log([RELEASED_PARAMETERS[model] for model in late["model"]])
    assert contrast.estimated == pytest.approx(np.polyfit(x, late["pct_stereotype"], 1)[0] * np.ptp(x))
    slopes = (x - x.mean()) / ((x - x.mean()) ** 2).sum()
    assert contrast.standard_error == pytest.approx(np.ptp(x) * np.sqrt((slopes**2 * late["stderr"].to_numpy() ** 2).sum()))
    assert interval(contrast) == pytest.approx((0.104, 0.029, 0.178), abs=0.001)
    assert contrast.n == 320


def test_two_released_baselines_are_no_line():
    two = pl.read_csv(CURVES).filter(pl.col("model").is_in(["pythia-70m", "pythia-6.9b"]))
    with pytest.raises(MissingEvidence, match="2 released baselines have late points under one evaluation code; needs 3"):
        released_size_contrast(Tables({"released_crows_pairs": two}))


def references(*rows: tuple[str, int, int], text: str = "a text") -> pl.DataFrame:
    columns = {"word": pl.String, "masculine": pl.Int64, "released": pl.Int64}
    return pl.DataFrame(rows, columns, orient="row").with_columns(text=pl.lit(text))


def of_references(*rows: tuple[str, int, int], words: str = "all") -> Record:
    return all_references(Tables({"references": references(*rows)}), text="a text", words=words)


def test_all_references_are_at_least_95_in_100():
    part = of_references(("he", 80, 80), ("himself", 2, 0), ("king", 14, 0), ("man", 4, 0))
    assert (part.holds, part.n, part.unit) == (False, 100, "masculine words")
    assert part.facts == (
        "the released strings change 80% of 100 masculine words in a text (98% of he, him, his and himself); "
        "most often left: king, man, himself"
    )
    assert of_references(("he", 95, 95), ("king", 5, 0)).holds
    assert not of_references(("he", 94, 94), ("king", 6, 0)).holds


def test_pronouns_alone_are_the_narrowest_reading():
    part = of_references(("he", 97, 97), ("himself", 3, 0), ("king", 900, 0), words="pronouns")
    assert (part.holds, part.n, part.unit) == (True, 100, "masculine pronouns")
    assert part.facts == "the released strings change 97% of 100 masculine pronouns in a text; most often left: himself"
    with pytest.raises(MissingEvidence, match="a text is not at hand, or has no masculine pronouns"):
        of_references(("king", 9, 0), words="pronouns")


def test_texts_are_never_pooled():
    both = pl.concat([references(("he", 100, 100)), references(("he", 100, 0), text="another")])
    tables = Tables({"references": both})
    assert all_references(tables, text="a text").n == all_references(tables, text="another").n == 100
    assert all_references(tables, text="a text").holds
    assert not all_references(tables, text="another").holds
    with pytest.raises(MissingEvidence, match="a third is not at hand, or has no masculine words"):
        all_references(tables, text="a third")


def test_the_texts_of_the_claims_are_those_that_are_counted(tmp_path):
    pl.DataFrame(schema={"text": pl.String}).write_parquet(tmp_path / "articles.parquet")
    names = set(texts_at_hand(tmp_path / "articles.parquet", tmp_path, tmp_path))
    claims = [
        claim for claim in read_claims(RESOURCES.parents[1] / "claims.yaml") if claim.id in ("all-references", "all-pronouns")
    ]
    told = [test.evidence[source].options["text"] for claim in claims for test in claim.tests for source in claim.sources]
    assert set(told) == {"the encyclopedia", "the generated corpus"} < names
    assert len(told) == 4
