"""claims.yaml: every claim with known evidence, and one clear line for a bad file."""

from pathlib import Path

import pytest

from overtime import InputError
from overtime.claims.judge import COMPARISONS, judge, read_claims

CLAIMS = Path(__file__).parents[2] / "workflow/claims.yaml"


def test_the_file_holds_every_claim_with_known_evidence():
    claims = read_claims(CLAIMS)
    assert {name for claim in claims for name in claim.evidence.values()} == set(COMPARISONS)


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
        ("id: swap-takes", "id: Swap takes", "claim Swap takes: id: String should match pattern"),
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
