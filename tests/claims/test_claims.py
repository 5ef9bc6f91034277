"""The claims engine: planted effects get their verdicts, wrong verdicts keep the nominal bound, bad files give one clear line."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy import stats as scipy_stats

from overtime import InputError
from overtime.claims import IDS, Claim, judge, read_claims, to_markdown, verdict
from overtime.evidence import EVIDENCE
from overtime.stats import Normal, bootstrap
from overtime.weighted import mean_of, spearman_of

WORKFLOW = Path(__file__).parents[2] / "workflow"
CLAIMS = WORKFLOW / "claims.yaml"
RELEASED = {
    "released_crows_pairs": WORKFLOW / "resources/released/pythia_crows_gender.csv",
    "released_layers": WORKFLOW / "resources/released/overthinking_layers.csv",
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


def runs(values: dict[tuple[str, str], np.ndarray], column: str, **keys: object) -> pl.DataFrame:
    """Score table from (model, arm) -> values per item, two seeds, two steps; the first step is misleading."""
    frames = []
    for (model, arm), final in values.items():
        for seed in (0, 1):
            for step, numbers in ((1, final[::-1]), (2, final)):
                labels = {"model": model, "arm": arm, "seed": seed, "step": step}
                frames.append(pl.DataFrame(keys | {column: numbers}).with_columns(pl.lit(v).alias(k) for k, v in labels.items()))
    return pl.concat(frames)


def some(share: float, size: int, random: np.random.Generator) -> np.ndarray:
    return random.permutation(np.arange(size) < round(share * size)).astype(float)


def bias_inputs(works: bool, random: np.random.Generator) -> dict[str, pl.DataFrame]:
    """240 pairs of 24 templates. The one-way swap leaves the aggregate and (if it `works`) lowers both directions."""
    pair = np.arange(240)
    direction = np.where(pair % 2, "masculine", "feminine")
    pairs = pl.DataFrame({"pair": pair, "template": pair // 10, "direction": direction})
    halves = {"baseline": (0.9, 0.9), "swap14": (0.55, 0.55) if works else (0.99, 0.75), "cda14": (0.55, 0.52)}
    shares = {arm: np.where(pair % 2, some(m, 240, random), some(f, 240, random)) for arm, (f, m) in halves.items()}
    models = {("l", arm): share for arm, share in shares.items()} | {
        ("xs", "baseline"): some(0.55 if works else 0.97, 240, random)
    }
    scores = runs(models, "ll_more", pair=pair).with_columns(pl.lit(0.5).alias("ll_less"))
    context = np.repeat(np.arange(20), 2)
    odds = {("l", "baseline"): random.normal(0, 0.3, 40), ("l", "swap14"): random.normal(3 if works else 0, 0.3, 40)}
    pronouns = runs(odds, "log_odds", context=context, contrast=["she/he", "her/him"] * 20)
    return {"pairs": pairs, "pair_scores": scores, "pronoun_scores": pronouns}


def fact_inputs(holds: bool, random: np.random.Generator) -> dict[str, pl.DataFrame]:
    """300 entities with three questions each; entities 0 to 99 are insertion targets."""
    question = np.arange(900)
    entity = question // 3
    count = np.repeat(np.round(2 ** random.uniform(0, 10, 300)), 3).astype(int)
    inserted = np.where(np.arange(100) % 2, 100, 0)
    rank = np.argsort(np.argsort(count)) / 900
    closed = (random.uniform(size=900) < (rank if holds else 0.5)).astype(float)
    retrieved = (random.uniform(size=900) < (1 - 0.7 * rank if holds else 0.3 + 0.6 * rank)).astype(float)
    dose = np.where(entity < 100, np.where(entity % 2, 100, 0), -1)
    helped = np.where((dose == 100) & (random.uniform(size=900) < (0.8 if holds else 0.0)), 1.0, closed)
    weak = np.zeros(900)
    answers = {("s", "baseline"): weak, ("l", "baseline"): closed, ("l", "insert_late"): helped}
    passages = [
        runs({("s", "baseline"): weak, ("l", "baseline"): scores}, "correct", question=question)
        .filter(pl.col("step") == 2)
        .drop("step")
        for scores in (closed, retrieved)
    ]
    return {
        "questions": pl.DataFrame({"question": question, "entity": entity}).with_columns(pl.lit("evaluation").alias("group")),
        "counts": pl.DataFrame({"question": question, "count": count}),
        "targets": pl.DataFrame({"entity": np.arange(100), "inserted": inserted}),
        "closed_book": runs(answers, "correct", question=question),
        "passages": pl.concat(
            table.with_columns(pl.lit(name).alias("condition"))
            for table, name in zip(passages, ("closed_book", "bm25_1"), strict=True)
        ),
        "annotators": pl.DataFrame({"question": question, "correct": retrieved}),
    }


def layer_table(curves: dict[str, list[float]], prompts: int, random: np.random.Generator) -> pl.DataFrame:
    """Layers of one model and task with these accuracies per condition; decoys at another lens and fewer demonstrations."""
    rows = []
    for condition, accuracies in curves.items():
        for layer, accuracy in enumerate(accuracies):
            for prompt, right in enumerate(some(accuracy, prompts, random)):
                for lens, shown, good in (
                    ("logit", 8, right if layer == len(accuracies) - 1 else 0.5),
                    ("tuned", 8, right),
                    ("tuned", 1, 0.5),
                ):
                    identity = {"prompt": prompt, "condition": condition, "layer": layer, "lens": lens, "demonstrations": shown}
                    rows += [identity | {"label": label, "logit": logit} for label, logit in (("yes", good), ("no", 0.7))]
    return pl.DataFrame(rows).with_columns(model=pl.lit("smollm2-135m"), task=pl.lit("topics"), truth=pl.lit("yes"))


def prompt_inputs(holds: bool, random: np.random.Generator) -> dict[str, pl.DataFrame]:
    normal = [0.5, 0.6, 0.8, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9]
    attacked = [0.5, 0.6, 0.8, 0.9, 0.9, 0.9, 0.9, 0.3, 0.0] if holds else [0.5, 0.5, 0.4, 0.4, 0.3, 0.3, 0.3, 0.3, 0.3]
    if holds:  # two layers before the end the same prompts are right, so that the paired difference is exactly zero
        layers = layer_table({"true": normal}, 200, random)
        same = layers.filter(pl.col("layer") <= 6).with_columns(condition=pl.lit("injection"))
        late = layer_table({"injection": attacked}, 200, random).filter(pl.col("layer") > 6)
        layers = pl.concat([layers, same, late.select(layers.columns)])
    else:
        layers = layer_table({"true": normal, "injection": attacked}, 200, random)
    groups = np.repeat(["conspiracy", "true", "false"], 20)
    shift = {"benign": np.zeros(60), "persona": np.where(groups == "conspiracy", 2.0, 0.0) if holds else np.full(60, 2.0)}
    persona = [
        pl.DataFrame({"claim": np.arange(60), "group": groups, "log_odds": values + random.normal(0, 0.5, 60)}).with_columns(
            condition=pl.lit(name)
        )
        for name, values in shift.items()
    ]
    edges = {"isolation_forest": 3.0, "local_outlier_factor": 3.0, "entropy": 0.5 if holds else 5.0}
    benign = 0.5 if holds else 1.5  # of what an injection adds to a score
    decoys = {("normal", 8): 9.0, ("false", 8): -9.0, ("benign", 8): -9.0}
    kinds = {("normal", 16): 0.0, ("injection", 16): 1.0, ("benign", 16): benign} | decoys
    detect = [
        pl.DataFrame({"prompt": np.arange(100), "score": edge * sign + random.normal(size=100)}).with_columns(
            detector=pl.lit(name), kind=pl.lit(kind), demonstrations=pl.lit(shown), attack=pl.lit(kind in ("injection", "false"))
        )
        for name, edge in edges.items()
        for (kind, shown), sign in kinds.items()
    ]
    policies = {"final": some(0.2, 200, random), "early_exit": some(0.8 if holds else 0.05, 200, random)}
    defend = [
        pl.DataFrame({"prompt": np.arange(200), "correct": right.astype(bool)}).with_columns(
            policy=pl.lit(name), condition=pl.lit(condition), demonstrations=pl.lit(16)
        )
        for name, right in policies.items()
        for condition in ("injection", "true")
    ]
    place = {"model": pl.lit("smollm2-135m"), "task": pl.lit("topics")}
    return {
        "layers": layers,
        "persona": pl.concat(persona),
        "detect": pl.concat(detect).with_columns(**place),
        "defend": pl.concat(defend).with_columns(**place),
    }


def all_inputs(holds: bool) -> dict[str, pl.DataFrame]:
    random = np.random.default_rng(4)
    return bias_inputs(holds, random) | fact_inputs(holds, random) | prompt_inputs(holds, random)


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


def test_what_a_claim_presupposes():
    """Without a working model or a working attack there is nothing to judge, rather than a claim upheld by default."""
    random = np.random.default_rng(0)
    inputs = fact_inputs(True, random)
    wrong = {name: inputs[name].with_columns(correct=pl.lit(0.0)) for name in ("closed_book", "passages")}
    harmless = {"layers": layer_table({"true": [0.5, 0.9, 0.9, 0.9], "injection": [0.5, 0.9, 0.9, 0.88]}, 50, random)}
    rows = judge(CLAIMS, inputs | wrong | harmless).filter(pl.col("source") == "measured")
    sentences = dict(rows.filter(pl.col("verdict") == "untested at this scale").select("id", "sentence").iter_rows())
    for name in ("accuracy-follows-count", "rare-facts-are-poor", "retrieval-flattens", "retrieval-reverses"):
        assert "model l answers all 900 questions alike" in sentences[name]
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
    row = judge(CLAIMS, inputs).filter(pl.col("id") == "swap-takes").row(0, named=True)
    assert row["verdict"] == "undecided"
    assert row["needed_n"] >= 10
    assert f"about {row['needed_n']:,} contexts would decide it" in row["sentence"]


def test_paths_carry_the_identities(tmp_path):
    inputs = bias_inputs(True, np.random.default_rng(4))
    paths = []
    for (model, arm, seed), rows in inputs["pair_scores"].group_by("model", "arm", "seed"):
        path = tmp_path / f"scores/pairs/{model}/{arm}/seed{seed}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        rows.drop("model", "arm", "seed").write_parquet(path)
        paths.append(path)
    by_path = judge(CLAIMS, inputs | {"pair_scores": sorted(paths)}, resamples=300)
    assert by_path.equals(judge(CLAIMS, inputs, resamples=300))
    stray = tmp_path / "stray.parquet"
    inputs["pair_scores"].write_parquet(stray)
    with pytest.raises(InputError, match=r"stray\.parquet: a path of this table"):
        judge(CLAIMS, {"pair_scores": [stray], "pairs": inputs["pairs"]})
    with pytest.raises(InputError, match=r"pairs: no column template, direction"):
        judge(CLAIMS, inputs | {"pairs": inputs["pairs"].select("pair")})
    with pytest.raises(InputError, match="unknown input pair_score"):
        judge(CLAIMS, {"pair_score": stray})


def test_the_file_holds_every_claim_with_known_evidence():
    claims = read_claims(CLAIMS)
    assert {claim.id for claim in claims} == IDS
    assert {name for claim in claims for name in claim.evidence.values()} == set(EVIDENCE)


GOOD = """- id: swap-takes
  at: "04:29"
  statement: It takes.
  figure: fig1
  kind: greater
  expected: greater
  margin: 0.5
  reason: Because.
  evidence: {measured: pronoun_shift}
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("kind: greater", "kind: bigger", "claim swap-takes: kind: Input should be 'greater'"),
        ("  margin: 0.5\n", "", "claim swap-takes: margin or its reason is missing"),
        ("  reason: Because.\n", "", "claim swap-takes: margin or its reason is missing"),
        ("margin: 0.5", "margin: .nan", "claim swap-takes: margin: Input should be"),
        ("id: swap-takes", "id: swap-fakes", "claim swap-fakes: unknown id; known are accuracy-follows-count"),
        ("pronoun_shift", "pronoun_drift", "claim swap-takes: unknown evidence pronoun_drift; known are swap_change"),
        ("measured:", "guessed:", "claim swap-takes: evidence.guessed"),
        ("expected: greater", "expected: less", "claim swap-takes: expected 'less' does not fit kind greater; use greater"),
        ("kind: greater\n  expected: greater", "kind: value\n  expected: equal", "claim swap-takes: value is for kind value"),
        ("04:29", "4.29", "claim swap-takes: at: String should match"),
        (GOOD, GOOD + GOOD, "claim swap-takes: this id occurs more than once"),
        (GOOD, "swap-takes: 3", "claim list: Input should be a valid list"),
        (GOOD, "- [", "not readable as YAML"),
    ],
)
def test_a_bad_claims_file_is_one_clear_line(tmp_path, old, new, message):
    path = tmp_path / "claims.yaml"
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(InputError) as caught:
        judge(path, {})
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_readable_tables():
    table = judge(CLAIMS, RELEASED)
    markdown = to_markdown(table).splitlines()
    assert len(markdown) == len(table) + 2
    assert {line.replace("\\|", "").count("|") for line in markdown} == {9}
    assert any("| 04:57 |" in line and "0.098 [0.022, 0.175]" in line and "320 pairs" in line for line in markdown)
