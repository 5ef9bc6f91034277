"""The claims engine: planted effects get their verdicts, wrong verdicts keep the nominal bound, what is absent is untested."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from planted import ARMS, DECLARED, PARAMETERS, all_inputs, asked, bias_inputs, fact_inputs, layer_table, published_inputs, runs
from scipy import stats as scipy_stats

from overtime import InputError
from overtime.claims.evidence import declarations
from overtime.claims.judge import Claim, claims_markdown, judge, verdict
from overtime.statistics import Normal, bootstrap, mean_of, spearman_of

WORKFLOW = Path(__file__).parents[2] / "workflow"
CLAIMS = WORKFLOW / "claims.yaml"
RELEASED = {
    "released_crows_pairs": WORKFLOW / "overtime/resources/released/pythia_crows_gender.csv",
    "released_layers": WORKFLOW / "overtime/resources/released/overthinking_layers.csv",
}
SIMULATIONS = 500
BOUND = scipy_stats.binom.ppf(0.999, SIMULATIONS, 0.05)  # 41 wrong verdicts: 5 % nominal, and chance
UNITS = 40


def make_claim(kind: str, expected: str, **more: object) -> Claim:
    fields = {
        "at": "-",
        "statement": "Planted.",
        "figure": "fig1",
        "margin": 0.2,
        "reason": "A test.",
        "evidence": {"measured": "swap_change"},
    }
    return Claim(id="swap-takes", kind=kind, expected=expected, **(fields | more))


KINDS = {  # claim, the effects that make it true, lie on its margin, make it false
    "greater": (make_claim("greater", "greater"), 0.7, 0.2, -0.3),
    "less": (make_claim("less", "less"), -0.7, -0.2, 0.3),
    "equivalence": (make_claim("equivalence", "equal", margin=0.5), 0.0, 0.5, 1.0),
    "value": (make_claim("value", "equal", value=1.0, margin=0.5), 1.0, 1.5, 0.0),
    "trend": (make_claim("trend", "decrease"), -0.75, -0.2, 0.4),
}


def planted_verdicts(claim: Claim, effect: float, seed: int) -> list[str]:
    """500 studies of 40 units (two correlated items each; standard deviation of a unit 0.79) with this true effect."""
    random, verdicts = np.random.default_rng(seed), []
    units = np.repeat(np.arange(UNITS), 2)
    for number in range(SIMULATIONS):
        if claim.kind == "trend":
            pearson = 2 * np.sin(np.pi * effect / 6)  # Spearman's correlation of a normal pair
            x, noise = random.normal(size=(2, UNITS))
            study = bootstrap(spearman_of(x, pearson * x + np.sqrt(1 - pearson**2) * noise), np.arange(UNITS), 500, number)
        else:
            items = effect + 0.7 * random.normal(size=UNITS)[units] + 0.5 * random.normal(size=2 * UNITS)
            study = bootstrap(mean_of(items), units, 500, number)
        verdicts.append(verdict(claim.region, study.interval()))
    return verdicts


@pytest.mark.parametrize("kind", KINDS)
def test_planted_effects_get_their_verdicts(kind):
    claim, true, margin, false = KINDS[kind]
    for effect, expected, wrong in ((true, "upheld", "contradicted"), (false, "contradicted", "upheld")):
        verdicts = planted_verdicts(claim, effect, seed=1)
        assert verdicts.count(wrong) == 0
        assert verdicts.count(expected) >= 0.9 * SIMULATIONS
    on_margin = planted_verdicts(claim, margin, seed=2)
    assert SIMULATIONS - on_margin.count("undecided") <= BOUND


def test_aggregates_get_their_verdicts():
    claim = make_claim("equivalence", "equal", margin=0.05)
    drawn = np.random.default_rng(0).normal(0.05, 0.01, SIMULATIONS)
    verdicts = [verdict(claim.region, Normal(estimate, 0.01, 320).interval()) for estimate in drawn]
    assert SIMULATIONS - verdicts.count("undecided") <= BOUND
    assert [verdict(claim.region, Normal(mean, 0.01, 320).interval()) for mean in (0.0, -0.02, 0.04, -0.1)] == [
        "upheld",
        "upheld",
        "undecided",
        "contradicted",
    ]


def test_every_measured_comparison_finds_the_planted_effect():
    table = judge(CLAIMS, all_inputs(True), resamples=500).filter(pl.col("source") == "measured")
    verdicts = dict(table.select("id", "verdict").iter_rows())
    assert verdicts.pop("intervention-leaves-bias") == "contradicted"  # this swap works: the share falls from .9 to .55
    assert set(verdicts.values()) == {"upheld"}, verdicts
    effects = dict(table.select("id", "effect").iter_rows())
    assert effects["intervention-leaves-bias"] == pytest.approx(0.35, abs=0.07)
    assert effects["swap-takes"] == pytest.approx(3, abs=0.2)
    assert effects["insertion-helps"] == pytest.approx(0.5, abs=0.2)
    assert effects["persona-elicits"] == pytest.approx(2, abs=0.4)
    assert effects["attack-is-late"] == 0
    # .9 - (0 + .9) / 2; a layer that is better than .9 on the half it is chosen on is worse on the other half
    assert 0.4 <= effects["early-layers-resist"] <= 0.45
    assert effects["early-exit-defends"] == pytest.approx(0.6)
    units = dict(table.select("id", "n").iter_rows())
    assert (units["larger-is-more-biased"], units["swap-takes"], units["accuracy-follows-count"]) == (24, 20, 300)
    assert (units["insertion-helps"], units["persona-elicits"], units["attack-is-detectable"]) == (100, 60, 100)


def test_every_measured_comparison_finds_the_opposite():
    table = judge(CLAIMS, all_inputs(False), resamples=500).filter(pl.col("source") == "measured")
    verdicts = dict(table.select("id", "verdict").iter_rows())
    assert verdicts.pop("augmentation-lowers-both-directions") == "upheld"  # planted to work in both worlds
    # .9 against (.99 + .75) / 2: within five points in truth, which 24 templates may or may not settle
    assert verdicts.pop("intervention-leaves-bias") in ("upheld", "undecided")
    assert set(verdicts.values()) == {"contradicted"}, verdicts
    both = table.filter(pl.col("id") == "swap-lowers-both-directions").row(0, named=True)
    assert both["effect"] == pytest.approx(-0.09, abs=0.03)


def measured(inputs: dict[str, pl.DataFrame]) -> dict[str, dict]:
    return {row["id"]: row for row in judge(CLAIMS, inputs, resamples=300).filter(source="measured").to_dicts()}


def test_published_checkpoints_are_judged_instead_of_the_suite():
    random = np.random.default_rng(5)
    suite = bias_inputs(True, random)
    published = published_inputs({"pythia-70m": ["swap7"], "pythia-1.4b": ["swap7", "swap21"]}, random)
    rows, alone = measured(suite | published), measured(published)
    swapped = rows["intervention-leaves-bias"]
    assert (swapped["unit"], swapped["n"]) == ("pairs", 200)
    assert "7 % swap, published checkpoints" in swapped["sentence"]
    assert swapped["effect"] == pytest.approx(0, abs=0.1)
    assert rows["swap-takes"]["effect"] == pytest.approx(2, abs=0.15)
    assert (rows["swap-takes"]["n"], rows["swap-lowers-both-directions"]["n"]) == (40, 150)
    assert "pythia-1.4b minus pythia-70m, published checkpoints" in rows["larger-is-more-biased"]["sentence"]
    for name in ("intervention-leaves-bias", "swap-takes", "swap-lowers-both-directions", "larger-is-more-biased"):
        assert rows[name]["effect"] == alone[name]["effect"], "the suite has no part in it"
    of_suite = measured(suite)["augmentation-lowers-both-directions"]
    assert rows["augmentation-lowers-both-directions"]["effect"] == of_suite["effect"]
    longest = measured(suite | published_inputs({"pythia-1.4b": ["swap7", "swap21"]}, random))
    assert "21 % swap, published checkpoints" in longest["intervention-leaves-bias"]["sentence"]
    assert "l minus xs" in longest["larger-is-more-biased"]["sentence"], "one size alone leaves this claim to the suite"


def renamed(inputs: dict[str, pl.DataFrame], names: dict[str, str]) -> dict[str, pl.DataFrame]:
    return inputs | {name: inputs[name].with_columns(pl.col("arm").replace(names)) for name in ("pair_scores", "pronoun_scores")}


def test_an_arm_is_what_its_settings_say_whatever_its_name():
    inputs = bias_inputs(True, np.random.default_rng(4))
    swap, augmentation = ARMS["swap14"], ARMS["cda14"]
    others = renamed(inputs, {"swap14": "late", "cda14": "swap30"})
    declared = declarations(PARAMETERS, {}, {"late": swap, "swap30": augmentation}, {})
    assert measured(others | declared) == measured(inputs)
    masculine = declarations(PARAMETERS, {}, {"swap14": {**swap, "rewrite": "masculinize"}, "cda14": augmentation}, {})
    rows = measured(inputs | masculine)
    same = "augmentation-lowers-both-directions"
    assert rows[same]["effect"] == measured(inputs)[same]["effect"]
    for name in ("intervention-leaves-bias", "swap-takes", "swap-lowers-both-directions"):
        assert rows[name]["verdict"] == "untested at this scale"
        assert "no arm that all models have rewrites masculine as feminine words" in rows[name]["sentence"]
    longer = declarations(PARAMETERS, {}, {"swap14": {**swap, "share": 0.3}, "cda14": augmentation}, {})
    assert "baseline minus 30 % swap" in measured(inputs | longer)["intervention-leaves-bias"]["sentence"]


def test_the_largest_model_is_the_one_with_the_most_declared_parameters():
    inputs = bias_inputs(True, np.random.default_rng(4))
    other = declarations(PARAMETERS | {"xs": 7.0}, {}, ARMS, {})
    before, after = (measured(inputs | more)["larger-is-more-biased"] for more in ({}, other))
    assert after["effect"] == pytest.approx(-before["effect"])
    assert "xs minus l" in after["sentence"]
    with pytest.raises(InputError, match="model xs: its parameters are not declared"):
        measured(inputs | declarations({"l": 1.0}, {}, ARMS, {}))


def test_passages_are_those_of_the_fewest_that_were_shown():
    inputs = fact_inputs(True, np.random.default_rng(4))
    more = inputs["passages"].with_columns(pl.col("condition").replace({"bm25_1": "bm25_3"}))
    fewer = inputs["passages"].filter(condition="bm25_1").with_columns(condition=pl.lit("bm25_5"), correct=pl.lit(1.0))
    rows = measured(inputs | {"passages": pl.concat([more, fewer])})
    assert rows["retrieval-flattens"]["effect"] == measured(inputs)["retrieval-flattens"]["effect"]
    assert "with 3 retrieved passages" in rows["retrieval-flattens"]["sentence"]


def test_released_evidence():
    rows = {row["id"]: row for row in judge(CLAIMS, RELEASED).filter(pl.col("source") == "released").to_dicts()}
    assert {name: row["verdict"] for name, row in rows.items()} == {
        "one-evaluation-code": "contradicted",
        "intervention-share": "contradicted",
        "larger-is-more-biased": "upheld",
        "intervention-leaves-bias": "undecided",
        "attack-zeroes-final": "contradicted",
        "early-layers-resist": "upheld",
        "attack-is-late": "contradicted",
    }
    assert "125" in rows["one-evaluation-code"]["sentence"]
    assert "21 " in rows["one-evaluation-code"]["sentence"]
    # 113k to 143k, code 8164ebc, from the published JSON files: 6.9B .5921875, 70M .49375; one evaluation's error about .028
    gap = rows["larger-is-more-biased"]
    assert gap["effect"] == pytest.approx(0.5921875 - 0.49375)
    assert gap["upper"] - gap["lower"] == pytest.approx(2 * 1.96 * 0.028 * 2**0.5, rel=0.02)
    # baseline .5515625 .5953125 .5921875 .49375, 7 % arm .5375 .5934028 .5878125 .494375 (400M, 1.4B, 6.9B, 70M)
    change = rows["intervention-leaves-bias"]
    assert change["effect"] == pytest.approx(np.mean([0.0140625, 0.0019097, 0.004375, -0.000625]), abs=1e-5)
    assert change["needed_n"] > 4 * change["n"]
    assert rows["attack-zeroes-final"]["effect"] == pytest.approx(0.078)
    assert rows["attack-zeroes-final"]["n"] == 1000
    assert rows["early-layers-resist"]["effect"] == pytest.approx(0.91167 - (0.078 + 0.98967) / 2, abs=1e-5)


def test_evidence_is_judged_apart_and_what_is_absent_is_untested():
    alone, both = judge(CLAIMS, RELEASED), judge(CLAIMS, RELEASED | all_inputs(True), resamples=300)
    released = pl.col("source") == "released"
    assert alone.filter(released).equals(both.filter(released))
    measured = alone.filter(~released)
    assert measured["verdict"].unique().to_list() == ["untested at this scale"]
    assert measured["effect"].null_count() == len(measured)
    human = measured.filter(pl.col("id") == "humans-decline-too")["sentence"][0]
    assert human == "Untested at this scale: the question sets at hand have no answers of several human annotators."
    # Holm within each kind of evidence: the largest p of a family stays itself unless an earlier one is larger
    for rows in (both.filter(released), both.filter(~released)):
        tested = rows.drop_nulls("p").sort("p")
        assert tested["p_holm"][0] == pytest.approx(min(1, tested["p"][0] * len(tested)))
        assert (tested["p_holm"] >= tested["p"]).all()


def test_pretrained_models_with_counts_take_the_place_of_the_suite():
    """The largest one on its largest set: neither a smaller model, nor a second set, nor the suite is pooled with it."""
    random = np.random.default_rng(1)
    many, few = np.round(10 ** random.uniform(0, 4, 400)), np.round(10 ** random.uniform(0, 4, 50))
    counts = pl.concat(
        pl.DataFrame({"set": name, "corpus": "pile", "question": range(len(count)), "count": count})
        for name, count in (("trivia", many), ("nq", few))
    )
    falling, rising = many < np.median(many), few > np.median(few)
    answers = [asked("trivia", "neo-20b", closed_book=falling), asked("nq", "neo-20b", closed_book=rising, bm25_1=~rising)]
    answers += [asked("trivia", "neo-125m", closed_book=~falling), asked("trivia", "smol-360m", closed_book=~falling)]
    real = {"set_answers": pl.concat(answers), "set_counts": counts}
    rows = {row["id"]: row for row in judge(CLAIMS, fact_inputs(True, random) | real, resamples=300).to_dicts()}
    trend = rows["accuracy-follows-count"]
    assert (trend["verdict"], trend["n"], trend["unit"]) == ("contradicted", 400, "questions")
    assert "(neo-20b on trivia, documents of pile)" in trend["sentence"]
    assert rows["rare-facts-are-poor"]["effect"] > 0
    flat = rows["retrieval-flattens"]  # only the smaller set was asked with passages, and both sides are taken from it
    assert (flat["verdict"], flat["n"]) == ("upheld", 50)
    assert "(neo-20b on nq, documents of pile)" in flat["sentence"]
    assert rows["retrieval-reverses"]["effect"] == pytest.approx(-flat["effect"] / 2)
    assert rows["humans-decline-too"]["n"] == 50
    uncounted = {"models": DECLARED["models"].with_columns(corpus=pl.lit(None, pl.String))}
    without = judge(CLAIMS, fact_inputs(True, random) | real | uncounted)
    suite = without.filter(id="accuracy-follows-count").row(0, named=True)
    assert (suite["unit"], suite["verdict"]) == ("entities", "upheld")


def test_what_a_claim_presupposes():
    """Without a working model or a working attack there is nothing to judge, rather than a claim upheld by default."""
    random = np.random.default_rng(0)
    inputs = fact_inputs(True, random)
    wrong = {name: inputs[name].with_columns(correct=pl.lit(0.0)) for name in ("closed_book", "passages")}
    harmless = {"layers": layer_table({"true": [0.5, 0.9, 0.9, 0.9], "injection": [0.5, 0.9, 0.9, 0.88]}, 50, random)}
    rows = judge(CLAIMS, inputs | wrong | harmless).filter(pl.col("source") == "measured")
    sentences = dict(rows.filter(pl.col("verdict") == "untested at this scale").select("id", "sentence").iter_rows())
    for name in ("accuracy-follows-count", "rare-facts-are-poor", "retrieval-flattens", "retrieval-reverses"):
        assert "all 900 questions are answered alike (l, " in sentences[name]
    for name in ("early-layers-resist", "attack-is-late"):
        assert "hardly lowers final accuracy here (0.90 without, 0.88 with it)" in sentences[name]


def test_few_units_are_undecided_and_say_what_would_decide():
    random = np.random.default_rng(0)
    inputs = {
        "pronoun_scores": runs(
            {("m", "baseline"): np.zeros(3), ("m", "swap14"): random.normal(1.2, 1, 3)},
            "log_odds",
            context=range(3),
            contrast="she/he",
        )
    }
    inputs |= DECLARED
    row = judge(CLAIMS, inputs).filter(pl.col("id") == "swap-takes").row(0, named=True)
    assert row["verdict"] == "undecided"
    assert row["needed_n"] >= 10
    assert f"about {row['needed_n']:,} contexts would decide it" in row["sentence"]


def test_paths_carry_the_identities(tmp_path):
    inputs = bias_inputs(True, np.random.default_rng(4))
    paths = []
    for (model,), rows in inputs["pair_scores"].group_by("model"):
        path = tmp_path / f"scores/pairs/{model}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        rows.drop("model").write_parquet(path)
        paths.append(path)
    by_path = judge(CLAIMS, inputs | {"pair_scores": sorted(paths)}, resamples=300)
    assert by_path.equals(judge(CLAIMS, inputs, resamples=300))
    stray = tmp_path / "stray"
    inputs["pair_scores"].write_parquet(stray)
    with pytest.raises(InputError, match=r"stray: a score table must lie at"):
        judge(CLAIMS, {"pair_scores": [stray], "pairs": inputs["pairs"]} | DECLARED)
    with pytest.raises(InputError, match=r"pairs: no column template, direction"):
        judge(CLAIMS, inputs | {"pairs": inputs["pairs"].select("pair")})
    with pytest.raises(InputError, match="unknown input pair_score"):
        judge(CLAIMS, {"pair_score": stray})


def test_readable_tables():
    table = judge(CLAIMS, RELEASED)
    markdown = claims_markdown(table).splitlines()
    assert len(markdown) == len(table) + 2
    assert {line.replace("\\|", "").count("|") for line in markdown} == {9}
    assert any("| 04:57 |" in line and "0.098 [0.022, 0.175]" in line and "320 pairs" in line for line in markdown)
