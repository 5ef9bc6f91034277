"""claims.yaml as a whole: the authors' released files get their verdicts, and what is absent is untested and says why."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from overtime.claims.claim_file import COMPARISONS, read_claims
from overtime.claims.verdicts import claims_markdown, judge, stated

WORKFLOW = Path(__file__).parents[2] / "workflow"
CLAIMS = WORKFLOW / "claims.yaml"
RELEASED = {
    "released_crows_pairs": WORKFLOW / "overtime/resources/released/pythia_crows_gender.csv",
    "released_layers": WORKFLOW / "overtime/resources/released/overthinking_layers.csv",
}


@pytest.fixture(scope="module")
def judged() -> tuple[pl.DataFrame, pl.DataFrame]:
    return judge(CLAIMS, RELEASED)


def test_every_comparison_is_asked_for_and_every_claim_is_whole():
    claims = read_claims(CLAIMS)
    tests = [test for claim in claims for test in claim.tests]
    tests += [control.test for claim in claims for control in claim.control if control.test]
    assert {call.by for test in tests for call in test.evidence.values()} == set(COMPARISONS)
    assert all(call.scope.endswith(".") for claim in claims for test in claim.tests for call in test.evidence.values())
    assert len({claim.short for claim in claims}) == len(claims)


def test_released_evidence(judged):
    rows = {row["id"]: row for row in judged[0].filter(source="released").to_dicts()}
    assert {name: row["verdict"] for name, row in rows.items()} == {
        "one-evaluation-code": "contradicted",
        "intervention-share": "contradicted",
        "larger-is-more-biased": "upheld",
        "larger-is-much-more-biased": "undecided",
        "intervention-leaves-bias": "undecided",
        "attack-zeroes-final": "contradicted",
        "early-layers-resist": "contradicted",
        "attack-is-late": "contradicted",
        "answers-reasonably": "contradicted",
    }
    assert "125" in rows["one-evaluation-code"]["sentence"]
    gap = rows["larger-is-more-biased"]
    assert (gap["effect"], gap["lower"], gap["upper"]) == pytest.approx((0.104, 0.029, 0.178), abs=1e-3)
    # baseline .5515625 .5953125 .5921875 .49375, 7 % arm .5375 .5934028 .5878125 .494375 (400M, 1.4B, 6.9B, 70M)
    change = rows["intervention-leaves-bias"]
    assert change["effect"] == pytest.approx(np.mean([0.0140625, 0.0019097, 0.004375, -0.000625]), abs=1e-5)
    assert change["needed_n"] > 4 * change["n"]
    assert (rows["attack-zeroes-final"]["effect"], rows["attack-zeroes-final"]["n"]) == (pytest.approx(0.078), 1000)
    early = rows["early-layers-resist"]
    assert (early["effect"], early["lower"], early["upper"]) == pytest.approx((-0.25, -0.29, -0.21), abs=2e-3)


def test_the_released_curves_are_twelve_and_agree(judged):
    curves = {row["id"]: row for row in judged[1].filter(source="released", family="curves").to_dicts()}
    assert (curves["attack-is-late"]["same"], curves["attack-is-late"]["runs"]) == (12, 12)
    assert (curves["early-layers-resist"]["same"], curves["early-layers-resist"]["runs"]) == (12, 12)


def test_what_is_absent_is_untested_and_says_why(judged):
    rest = judged[0].filter(pl.col("source") != "released")
    assert set(rest["verdict"]) == {"untested"}
    assert rest["effect"].null_count() == len(rest)
    assert all(line.startswith("Untested: ") for line in rest["sentence"])


def test_a_summary_states_released_rows_that_no_perturbation_moves(judged):
    sure = {"one-evaluation-code", "intervention-share", "attack-is-late", "larger-is-more-biased"}
    assert set(stated(judged[0])["id"]) == sure


def test_readable_table(judged):
    lines = claims_markdown(judged[0]).splitlines()
    assert len(lines) == len(judged[0]) + 2
    assert {line.replace("\\|", "").count("|") for line in lines} == {13}
    assert any("| 04:57 |" in line and "0.104 [0.030, 0.178]" in line and "320 pairs" in line for line in lines)
