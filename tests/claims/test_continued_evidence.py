"""Evidence from models that are trained further: planted shifts, stretches that differ by themselves, verdicts on both."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import t

from overtime import InputError
from overtime.claims import continued_evidence as continued
from overtime.claims.evidence import MissingEvidence, Tables, declarations
from overtime.claims.judge import Court

CLAIMS = Path(__file__).parents[2] / "workflow/claims.yaml"
TEXTS = {"original": None, "feminize": ("feminize", 1.0), "two-way": ("swap", 0.5)}
DRIFTS = (-2.0, -2.1, -1.9, -2.05)  # of log-odds after the original text, by stretch
LEANS = np.linspace(-1.9, 1.9, 20)  # of the items, no two alike


def described(stretches: int = 4, family: str = "real", parameters: float = 0.1) -> list[dict]:
    return [
        {"run": f"{family}.{text}.{stretch}", "family": family, "text": text, "stretch": stretch, "parameters": parameters}
        | {"tokens": 64, **dict(zip(("rewrite", "probability"), how or (None, None)))}
        for text, how in TEXTS.items()
        for stretch in range(stretches)
    ]


def contexts(log_odds: float) -> dict:
    return {"context": range(20), "contrast": "she/he", "log_odds": LEANS + log_odds}


def pairs(log_odds: float) -> dict:
    """Ten pairs of either direction; the stereotype gains by the log-odds where it is feminine, and loses where masculine."""
    sides = np.array(["feminine", "masculine"] * 10)
    more = LEANS + np.where(sides == "feminine", log_odds, -log_odds)
    return {"pair": range(20), "direction": sides, "ll_more": more, "ll_less": 0.0}


def winobias(margin: float) -> dict:
    """Two items of each of 36 couples; in the pro sentence the right reading gains the margin."""
    items = [(n % 2 + 1, side, n // 2, f"m{n // 2 // 6}", f"f{n // 2 % 6}") for n in range(72) for side in ("pro", "anti")]
    table = pl.DataFrame(items, ["type", "side", "item", "masculine", "feminine"], orient="row")
    more = pl.when(side="pro").then(margin).otherwise(0.0) + pl.col("item") * 0.01
    return table.with_columns(ll_more=more, ll_less=0.0).to_dict(as_series=False)


def scores(runs: list[dict], items, value) -> pl.DataFrame:
    """Two checkpoints of every run, `value` of the run at the last."""
    tables = []
    for run in runs:
        for step in (0, 4):
            place = {"run": pl.lit(run["run"]), "step": pl.lit(step)}
            tables.append(pl.DataFrame(items(value(run) if step else 9.0)).with_columns(**place))
    return pl.concat(tables)


def inputs(shift: dict[str, float], drifts=DRIFTS, margins=(0.5, 0.35, 0.45), runs=None) -> dict[str, pl.DataFrame]:
    """All tables; `shift` of log-odds by text beyond the drift of the stretch, `margins` by text."""
    runs = runs or described(len(drifts))
    log_odds = lambda run: shift[run["text"]] + drifts[run["stretch"]]  # noqa: E731
    margin = lambda run: dict(zip(TEXTS, margins))[run["text"]] + 0.001 * run["stretch"]  # noqa: E731
    tests = {"pairs": (pairs, log_odds, 0.0), "pronouns": (contexts, log_odds, 0.0), "winobias": (winobias, margin, 0.52)}
    tables = {f"continued_{name}": scores(runs, items, value) for name, (items, value, _) in tests.items()}
    tables |= {
        f"start_{name}": pl.DataFrame(items(at)).with_columns(family=pl.lit("real")) for name, (items, _, at) in tests.items()
    }
    return tables | declarations({}, {}, {}, {}, runs)


SHIFT = {"original": 0.0, "feminize": 5.0, "two-way": 2.0}


def estimate(sample) -> tuple[float, float, float]:
    interval = sample.estimate().interval()
    return interval.estimate, interval.lower, interval.upper


def test_an_arm_is_compared_with_the_same_stretch_and_the_base_stands_beside():
    sample = continued.continued_shift(Tables(inputs(SHIFT)))
    value, lower, upper = estimate(sample)
    assert value == pytest.approx(5)
    assert upper - lower == pytest.approx(0, abs=1e-9) or np.isnan(lower), "the drift of a stretch is on both sides"
    assert sample.quantity == "log-odds of feminine pronouns, feminize minus original, real"
    assert sample.note.startswith("before training 0.000, after the original text -2.01")
    assert "after the swap 2.98" in sample.note
    assert estimate(continued.continued_shift(Tables(inputs(SHIFT)), arm="two-way"))[0] == pytest.approx(2)


def test_across_stretches_the_difference_stays_and_what_stretches_differ_by_is_in_its_error():
    """Each stretch against the original of the one before it: 5 and -2 + 2.05, -2.1 + 2, -1.9 + 2.1, -2.05 + 1.9."""
    sample = continued.continued_shift(Tables(inputs(SHIFT)), across=True)
    value, lower, upper = estimate(sample)
    differences = 5 + np.array([0.05, -0.1, 0.2, -0.15])
    assert value == pytest.approx(differences.mean(), abs=1e-9)
    reach = t.ppf(0.975, 3) * differences.std(ddof=1) / np.sqrt(4)
    assert (lower, upper) == pytest.approx((value - reach, value + reach))
    assert sample.quantity == "log-odds of feminine pronouns, feminize minus original of another stretch, real"
    assert estimate(continued.continued_margin(Tables(inputs(SHIFT)), across=True))[0] == pytest.approx(0.15)


def test_shares_follow_the_planted_log_odds_by_direction():
    """At log-odds of -2 no feminine and all masculine stereotypes are preferred, at +3 the other way round."""
    tables = Tables(inputs(SHIFT))
    assert estimate(continued.continued_change(tables))[0] == pytest.approx((1 - 0.608) - 0.608)
    assert estimate(continued.continued_change(tables, mix=0.5))[0] == pytest.approx(0)
    for side in ("feminine", "masculine"):
        assert estimate(continued.continued_side(tables, side=side))[0] == pytest.approx(0)
    balanced = {
        side: estimate(continued.continued_side(tables, side=side, arm="two-way"))[0] for side in ("feminine", "masculine")
    }
    assert balanced["feminine"] == pytest.approx(0.5, abs=0.06)
    assert balanced["masculine"] == pytest.approx(0.5, abs=0.06)
    with pytest.raises(InputError, match="side 'left'; expected feminine or masculine"):
        continued.continued_side(tables, side="left")
    with pytest.raises(InputError, match="arm 'cda'; expected swap or two-way"):
        continued.continued_shift(tables, arm="cda")


def test_a_margin_is_of_the_two_sentences_of_an_item_and_no_shift_of_all_pronouns_moves_it():
    sample = continued.continued_margin(Tables(inputs(SHIFT)))
    assert estimate(sample)[0] == pytest.approx(0.15)
    assert {name: len(set(of)) for name, of in sample.units.items()} == {"masculine occupations": 6, "feminine occupations": 6}
    assert sample.note.startswith("before training 0.520, after the original text 0.50")
    tables = inputs(SHIFT)
    for name in ("continued_winobias", "start_winobias"):
        tables[name] = tables[name].with_columns(pl.col("ll_more") + 3)
    assert estimate(continued.continued_margin(Tables(tables)))[0] == pytest.approx(0.15)
    lacking = tables | {"continued_winobias": tables["continued_winobias"].filter(side="pro")}
    with pytest.raises(MissingEvidence, match="no continued run is scored on whole items"):
        continued.continued_margin(Tables(lacking | {"start_winobias": lacking["start_winobias"].filter(side="pro")}))


def test_what_is_too_little_or_another_family_is_left_out_and_said():
    with pytest.raises(MissingEvidence, match="real was continued on 3 stretches of text; need 4"):
        continued.continued_shift(Tables(inputs(SHIFT, DRIFTS[:3])))
    with pytest.raises(MissingEvidence, match="no continued run is scored"):
        continued.continued_shift(Tables({}))
    tables = inputs(SHIFT)
    with pytest.raises(MissingEvidence, match="the continued pairs table is empty"):
        continued.continued_change(Tables(tables | {"continued_pairs": pl.DataFrame()}))
    only = tables["continued_runs"].filter(pl.col("text") == "original")
    with pytest.raises(MissingEvidence, match="no continued run swaps both ways in a part of the documents"):
        continued.continued_shift(Tables(tables | {"continued_runs": only}), arm="two-way")
    small = pl.DataFrame(described(2, "small", 0.05), schema=tables["continued_runs"].schema)
    both = Tables(tables | {"continued_runs": pl.concat([small, tables["continued_runs"]])})
    assert estimate(continued.continued_shift(both))[0] == pytest.approx(5), "the largest model is judged"


def verdicts(tables: dict[str, pl.DataFrame]) -> dict[str, tuple[str, dict[str, str]]]:
    court = Court(CLAIMS, tables)
    rows = [court.judge(claim, "continued") for claim in court.claims if "continued" in claim.sources]
    return {row.claim.id: (row.verdict, dict(row.controls)) for row in rows}


def noisy(tables: dict[str, pl.DataFrame], spread: float = 0.02) -> dict[str, pl.DataFrame]:
    """Runs that differ by a little chance, so that intervals have a width."""
    draw = np.random.default_rng(0)
    column = {"continued_pronouns": "log_odds", "continued_winobias": "ll_more", "continued_pairs": "ll_more"}
    return tables | {
        name: tables[name].with_columns(pl.col(of) + draw.normal(0, spread, tables[name].height)) for name, of in column.items()
    }


def test_planted_effects_get_their_verdicts_beside_stretches_that_hardly_differ():
    found = verdicts(noisy(inputs(SHIFT | {"two-way": 0.1})))
    assert found["swap-takes"][0] == "upheld"
    assert set(found["swap-takes"][1].values()) == {"passed"}
    assert found["swap-lowers-winobias-margin"][0] == "upheld"
    balanced = verdicts(noisy(inputs(SHIFT)))
    assert balanced["augmentation-lowers-both-directions"][0] == "upheld", "0 and 1 become one half"
    assert balanced["swap-takes"][0] == "upheld", "real text is not balanced, and augmentation moves its pronouns"
    none = verdicts(noisy(inputs(SHIFT | {"feminize": 0.1, "two-way": 0.0}, margins=(0.5, 0.5, 0.5))))
    assert none["swap-takes"][0] == "contradicted"
    assert none["swap-lowers-winobias-margin"][0] == "untested", "it needs a swap that takes"


def test_what_two_stretches_of_the_original_differ_by_as_well_is_undecided():
    found = verdicts(noisy(inputs(SHIFT | {"two-way": 0.1}, drifts=(0.0, 4.0, 8.0, 12.0))))
    assert found["swap-takes"] == ("undecided", {"also beside the original of another stretch of text": "undecided"})
    assert found["swap-lowers-winobias-margin"][0] == "untested", "it needs a swap that takes"
