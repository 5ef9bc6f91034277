"""claims.yaml: one clear line for a bad file."""

import pytest

from overtime import InputError
from overtime.claims.claim_file import read_claims

GOOD = """- id: swap-takes
  at: "04:29"
  statement: It takes.
  short: It takes
  figure: fig1
  fixed: before
  kind: greater
  expected: greater
  margin: 0.5
  reason: Because.
  evidence: {measured: {by: swap_shift}}
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("kind: greater", "kind: bigger", "claim swap-takes: kind: Input should be 'greater'"),
        ("  margin: 0.5\n", "", "claim swap-takes: margin or its reason is missing"),
        ("  reason: Because.\n", "", "claim swap-takes: margin or its reason is missing"),
        ("margin: 0.5", "margin: .nan", "claim swap-takes: margin: Input should be"),
        ("id: swap-takes", "id: Swap takes", "claim Swap takes: id: String should match pattern"),
        ("swap_shift", "swap_drift", "unknown evidence swap_drift; known are "),
        (
            "measured:",
            "guessed:",
            "evidence: guessed: no such kind; use released, released by others, measured, continued, proxy",
        ),
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
        read_claims(path)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
