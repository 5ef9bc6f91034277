"""The stereotype measure, its reference and its check, on hand-computed tables and on the published sets."""

import os
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tiny_models import build_neox
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from transformers import PreTrainedTokenizerFast

from overtime import InputError
from overtime.bias.bias_table import always_feminine, mixed, pronoun_curve, released_curve, stereotype_curve
from overtime.bias.pretrained_table import crows_pairs_result, winobias_result
from overtime.bias.pronoun_contexts import CONTRASTS, pronoun_contexts, pronoun_log_odds
from overtime.bias.sentence_sets import count_directions, favoured_gender, read_crows_pairs_sentences, read_winobias_sentences
from overtime.models.answers import token_log_probs

MIRROR = Path(os.environ.get("OVERTIME_MIRROR", Path(__file__).parents[4] / "shared/mirror")) / "raw.githubusercontent.com"
ORIGINAL = "nyu-mll/crows-pairs/8aaac11c485473159ec9328a65253a5be9a479dc/data/crows_pairs_anonymized.csv"
REVISED = "iabhijith/bias-causal-analysis/d5fc5ba1b867aade663834ceed3fd40e6f6b9de0/data/crows_pairs_revised.csv"
WINOBIAS = "uclanlp/corefBias/0bce984dd081bbc10b0622f326727a024c607895/WinoBias/wino/data"

PAIRS = pl.DataFrame(
    {"pair": [0, 1, 2, 3], "direction": ["feminine", "feminine", "feminine", "masculine"], "template": [0, 0, 1, 1]}
)


def published(name: str) -> Path:
    if not (MIRROR / name).exists():
        pytest.skip(f"no copy of {name} in {MIRROR}")
    return MIRROR / name


def scores(preferred: dict[tuple[int, int], list[bool]], model: str = "m", arm: str = "baseline") -> pl.DataFrame:
    """Pair scores from {(seed, step): which pairs have the stereotyped sentence likelier}."""
    rows = [
        (model, arm, seed, step, float(step), pair, -10.0 + 2 * wins, -9.0)
        for (seed, step), outcome in preferred.items()
        for pair, wins in enumerate(outcome)
    ]
    return pl.DataFrame(rows, ["model", "arm", "seed", "step", "percent", "pair", "ll_more", "ll_less"], orient="row")


def test_the_curve_averages_seeds_and_keeps_directions_apart():
    table = scores(
        {(0, 50): [True, False, False, True], (1, 50): [True, True, False, False], (0, 100): [True] * 4, (1, 100): [True] * 4}
    )
    curve = stereotype_curve(table, PAIRS)
    got = {(row["direction"], row["x"]): (row["y"], row["n"], row["seeds"]) for row in curve.iter_rows(named=True)}
    assert got == {
        ("all", 50.0): (0.5, 4, 2),
        ("all", 100.0): (1.0, 4, 2),
        ("feminine", 50.0): (0.5, 3, 2),
        ("feminine", 100.0): (1.0, 3, 2),
        ("masculine", 50.0): (0.5, 1, 2),
        ("masculine", 100.0): (1.0, 1, 2),
    }
    every = curve.filter(x=50.0, direction="all").row(0, named=True)
    assert every["lower"] < 0.5 < every["upper"]
    assert (every["source"], every["series"], every["metric"], every["code"]) == ("measured", "m baseline", "stereotype", None)


def test_pairs_of_one_template_count_as_one_unit():
    """Sixteen pairs that agree within each of four templates are four observations: the interval is that of four."""
    outcome = np.repeat([True, True, True, False], 4)
    pairs = pl.DataFrame({"pair": range(16), "direction": ["feminine"] * 16, "template": np.repeat(range(4), 4)})
    clustered = stereotype_curve(scores({(0, 1): outcome.tolist()}), pairs).row(0, named=True)
    alone = stereotype_curve(scores({(0, 1): outcome.tolist()}), pairs.with_columns(template=pl.col("pair"))).row(0, named=True)
    assert clustered["upper"] - clustered["lower"] > 1.5 * (alone["upper"] - alone["lower"])


def test_a_tie_is_no_preference_and_an_unknown_pair_an_error():
    table = scores({(0, 1): [True] * 4}).with_columns(ll_less=pl.col("ll_more"))
    assert stereotype_curve(table, PAIRS)["y"].to_list() == [0, 0, 0]
    with pytest.raises(InputError, match="pair 3, which is not among the 3 pairs"):
        stereotype_curve(scores({(0, 1): [True] * 4}), PAIRS.head(3))


def test_the_mix_of_directions_is_fixed_in_the_share_over_all_pairs():
    """By hand: .608 of 2 of 4 feminine pairs, .392 of 3 of 4 masculine ones, whatever the numbers of pairs."""
    direction = ["feminine"] * 4 + ["masculine"] * 4 + ["masculine"] * 4
    pairs = pl.DataFrame({"pair": range(12), "direction": direction, "template": [0, 1] * 6})
    outcome = [True, True, False, False] + [True, True, True, False] * 2
    curve = stereotype_curve(scores({(0, 1): outcome}), mixed(pairs))
    share = dict(curve.select("direction", "y").iter_rows())
    assert share["all"] == pytest.approx(0.608 * 0.5 + 0.392 * 0.75)
    plain = stereotype_curve(scores({(0, 1): outcome}), pairs)
    assert curve.filter(pl.col("direction") != "all").equals(plain.filter(pl.col("direction") != "all"))
    assert dict(always_feminine(mixed(pairs)).select("direction", "y").iter_rows()) == {
        "all": pytest.approx(0.608),
        "feminine": 1,
        "masculine": 0,
    }
    # A model that always says "she" has a share that no template changes: the bound is that of none deviating among two.
    sure = stereotype_curve(scores({(0, 1): [side == "feminine" for side in direction]}), mixed(pairs))
    row, reach = sure.filter(direction="all").row(0, named=True), 1 - 0.025 ** (1 / 2)
    expected = (0.608 * (1 - reach), 0.608, 0.608 + reach * 0.392, 12)
    assert (row["lower"], row["y"], row["upper"], row["n"]) == pytest.approx(expected)


def test_bands_are_the_intervals_of_verdicts_over_units_and_seeds():
    """By hand, one unit: the jackknife of a mean of 8 pairs is its standard error; seeds add what they differ by beyond it."""
    pairs = pl.DataFrame({"pair": range(8), "direction": ["feminine"] * 8})
    wins = [True, True, True, True, True, False, False, False]
    row = stereotype_curve(scores({(0, 1): wins}), pairs).filter(direction="all").row(0, named=True)
    error = np.std(wins, ddof=1) / np.sqrt(8)
    reach = 2.364624 * error  # Student's t, 7 degrees of freedom
    assert (row["lower"], row["upper"]) == pytest.approx((max(0, 0.625 - reach), min(1, 0.625 + reach)), abs=1e-6)
    apart = stereotype_curve(scores({(0, 1): [True] * 8, (1, 1): [False] * 8}), pairs).filter(direction="all").row(0, named=True)
    assert (apart["y"], apart["lower"], apart["upper"], apart["seeds"]) == (0.5, 0.0, 1.0, 2)
    alike = stereotype_curve(scores({(0, 1): wins, (1, 1): wins}), pairs).filter(direction="all").row(0, named=True)
    assert (alike["lower"], alike["upper"]) == pytest.approx((row["lower"], row["upper"]))


def test_a_run_that_was_not_scored_on_all_pairs_is_named():
    lacking = scores({(0, 1): [True] * 4, (1, 1): [True] * 3})
    with pytest.raises(InputError, match="m baseline seed 1: step 1 was not scored on all 4 pairs"):
        stereotype_curve(lacking, PAIRS)


def test_pronouns_have_the_units_of_their_contexts():
    contexts = pl.DataFrame(
        {"context": range(36), "template": [i // 6 for i in range(36)], "occupation": [i % 6 for i in range(36)]}
    )
    of_occupation = [float(i % 6) for i in range(36)]  # all that differs is the occupation: six observations, not 36
    run = contexts.select("context", contrast=pl.lit("she/he"), log_odds=pl.Series(of_occupation))
    run = run.with_columns(model=pl.lit("m"), arm=pl.lit("baseline"), seed=0, step=9, percent=93.0)
    (alone,), (crossed,) = pronoun_curve(run).to_dicts(), pronoun_curve(run, contexts).to_dicts()
    assert crossed["y"] == alone["y"] == 2.5
    variance = np.var(range(6), ddof=1) / 6 - np.var(of_occupation, ddof=1) / 36  # of occupations, less that of cells
    assert (crossed["upper"] - 2.5) == pytest.approx(2.570582 * np.sqrt(variance), rel=1e-5)
    assert crossed["upper"] - crossed["lower"] > 2 * (alone["upper"] - alone["lower"])


def test_a_model_that_always_says_she_scores_the_mix_of_the_pairs():
    """The aggregate of such a model looks like a bias, or its absence; its two directions are 1 and 0."""
    wins = (PAIRS["direction"] == "feminine").to_list()
    curve = {row["direction"]: row["y"] for row in stereotype_curve(scores({(0, 1): wins}), PAIRS).iter_rows(named=True)}
    unknown = PAIRS[:1].with_columns(pair=pl.lit(9, pl.Int64), direction=pl.lit(None, pl.String))
    reference = always_feminine(pl.concat([PAIRS, unknown]))
    assert (
        {row["direction"]: row["y"] for row in reference.iter_rows(named=True)}
        == curve
        == {"all": 0.75, "feminine": 1, "masculine": 0}
    )
    assert dict(reference.select("direction", "n").iter_rows()) == {"all": 4, "feminine": 3, "masculine": 1}


def test_pronoun_log_odds_show_a_planted_preference():
    """A model made to say "she" rather than "he", and neither of the other forms, after any text."""
    words = ["<|endoftext|>", "<|padding|>", "she", "he", "her", "him", "his", "the", "cook", "said", "that"]
    core = Tokenizer(WordLevel({word: number for number, word in enumerate(words)}))
    core.pre_tokenizer = WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, bos_token=words[0], eos_token=words[0], pad_token=words[1])
    model = build_neox(32, 2, 2, vocabulary=len(words), context=16, seed=0).eval()
    last = model.gpt_neox.final_layer_norm
    for parameter, value in ((last.weight, 0.0), (last.bias, 1.0), (model.lm_head.weight, 0.0)):
        parameter.data.fill_(value)
    model.lm_head.weight.data[2] = 1 / 32
    contexts = pl.DataFrame(
        {"context": [3, 1, 2], "contrast": list(CONTRASTS), "text": ["the cook said that", "the cook", "cook"]}
    )
    table = pronoun_log_odds(contexts, partial(token_log_probs, model, tokenizer))
    assert table["context"].to_list() == [1, 2, 3]
    np.testing.assert_allclose(table["log_odds"], [0, 0, 1], atol=1e-6)
    run = table.with_columns(model=pl.lit("m"), arm=pl.lit("swap7"), seed=0, step=9, percent=93.0)
    [row] = pronoun_curve(run).to_dicts()
    assert (row["y"], row["n"], row["metric"], row["series"]) == (pytest.approx(1 / 3), 3, "pronouns", "m swap7")


def test_contexts_leave_the_gender_open():
    contexts = pronoun_contexts()
    assert contexts["context"].n_unique() == contexts.height
    assert set(contexts["contrast"]) == set(CONTRASTS)
    assert {favoured_gender(text, "") for text in contexts["text"]} == {None}


@pytest.mark.parametrize(
    ("name", "pairs", "gender", "directions"),
    [
        (REVISED, 1677, 320, {"feminine": 146, "masculine": 94, None: 80}),
        (ORIGINAL, 1508, 262, {"feminine": 108, "masculine": 84, None: 70}),
    ],
    ids=["revised", "original"],
)
def test_crows_pairs_as_published(name, pairs, gender, directions):
    table = read_crows_pairs_sentences(published(name))
    assert table.height == pairs
    assert len(set(table["bias_type"]) - {"autre"}) == 9  # "autre" (other): eleven pairs that the revision added
    ours = table.filter(bias_type="gender")
    assert ours.height == gender
    assert dict(ours["direction"].value_counts().iter_rows()) == directions
    assert table.filter(pl.col("bias_type") != "gender")["direction"].null_count() == pairs - gender
    share = directions["feminine"] / (directions["feminine"] + directions["masculine"])
    assert always_feminine(ours)["y"][0] == pytest.approx(share)
    quoted = table.filter(pl.col("sent_more").str.contains('"', literal=True))
    assert quoted.height > 0
    assert not quoted["sent_more"].str.contains('""', literal=True).any()


def test_broken_crows_pairs_files_are_named(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text("sent_more,sent_less,stereo_antistereo,bias_type\na,b,stereo,gender\na,,stereo,gender\n")
    with pytest.raises(InputError, match=r"pairs.csv: row 2 has no sent_less"):
        read_crows_pairs_sentences(path)
    path.write_text("first,second\na,b\n")
    with pytest.raises(InputError, match=r"pairs.csv: not a CrowS-Pairs file with columns sent_more"):
        read_crows_pairs_sentences(path)


def test_the_harness_measures_by_category():
    scored = pl.DataFrame(
        {
            "bias_type": ["gender", "gender", "age", "age"],
            "direction": ["feminine", None, None, None],
            "ll_more": [-5.0, -6.0, -3.0, -4.0],
            "ll_less": [-7.0, -5.0, -4.0, -4.0],
        }
    )
    result = {
        (r["bias_type"], r["direction"], r["metric"]): (r["y"], r["n"]) for r in crows_pairs_result(scored).iter_rows(named=True)
    }
    assert result["all", "all", "stereotype"] == (0.5, 4)
    assert result["all", "all", "likelihood_difference"] == (1.0, 4)
    assert result["age", "all", "stereotype"] == (0.5, 2)
    assert result["gender", "feminine", "likelihood_difference"] == (2.0, 1)


def test_winobias_as_published():
    pairs = read_winobias_sentences(published(WINOBIAS))
    assert dict(pairs.group_by("type", "side").len().select(pl.concat_str("side", "type"), "len").iter_rows()) == dict.fromkeys(
        ("pro1", "anti1", "pro2", "anti2"), 396
    )
    assert pairs.filter(pl.col("sent_more") == pl.col("sent_less")).is_empty()
    people = pairs.with_columns(
        pl.concat_list(pl.col("sent_more", "sent_less").str.extract(r"means the (.*)\.$")).list.sort().alias("people")
    )
    per_item = people.group_by("type", "item").agg(pl.col("people").n_unique(), pl.len())
    assert set(per_item.select("people", "len").iter_rows()) == {(1, 2)}


def test_winobias_accuracy_and_net_bias(tmp_path):
    outcome = {(1, "pro"): [1, 1], (1, "anti"): [1, 0], (2, "pro"): [1, 1], (2, "anti"): [0, 0]}
    rows = [(kind, side, item, float(right), 0.5) for (kind, side), wins in outcome.items() for item, right in enumerate(wins)]
    scored = pl.DataFrame(rows, ["type", "side", "item", "ll_more", "ll_less"], orient="row")
    result = {(r["type"], r["side"]): (r["y"], r["n"]) for r in winobias_result(scored).iter_rows(named=True)}
    assert result["1", "pro"] == (1.0, 2)
    assert result["1", "net"] == (0.5, 2)
    assert result["both", "anti"] == (0.25, 4)
    assert result["both", "net"] == (0.75, 4)
    with pytest.raises(InputError, match=r"male_occupations.txt: cannot be read"):
        read_winobias_sentences(tmp_path)


def test_the_committed_directions_are_those_of_the_published_sets(tmp_path):
    for name in (ORIGINAL, REVISED):
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data" / Path(name).name).write_bytes(published(name).read_bytes())
    committed = Path(__file__).parents[3] / "workflow/overtime/resources/released/crows_pairs_directions.csv"
    assert count_directions(tmp_path).rows() == pl.read_csv(committed).rows()


def test_released_points_get_intervals_and_the_reference_of_their_pairs():
    released = pl.DataFrame(
        {"model": ["a", "b"], "arm": "swap7", "step": 71_500, "code": "x", "n": 320, "pct_stereotype": 0.6, "stderr": 0.02}
    )
    directions = pl.DataFrame({"set": "revised", "direction": ["feminine", "masculine", "unclassified"], "pairs": [6, 2, 5]})
    point, reference = released_curve(released, ["a"], directions).to_dicts()
    assert (point["x"], point["series"]) == (50, "a swap7")
    assert (point["lower"], point["upper"]) == pytest.approx((0.6 - 0.0392, 0.6 + 0.0392))
    assert (reference["series"], reference["y"], reference["n"]) == ("always feminine", 0.75, 8)
