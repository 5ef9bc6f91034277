"""The engine on planted evidence: parts, needs, controls, families, Holm; every verdict and every reason for none."""

import numpy as np
import pytest
import yaml

from overtime import InputError
from overtime.claims.claim_file import COMPARISONS, read_claims
from overtime.claims.decisions import holm
from overtime.claims.evidence import Aggregate, MissingEvidence, Record, Sample, Tables
from overtime.claims.verdicts import claims_markdown, judge, stated
from overtime.statistics import mean_of

UNITS, RUNS = 40, 2


def planted(tables: Tables, *, effect: float = 0.0, spread: float = 0.1, shift: float = 0.0, note: str = "") -> Sample:
    """Two runs of two sizes whose items differ by `spread` around `effect`, the first of them by `shift` more."""
    items = np.linspace(-1, 1, UNITS) * spread
    runs = {size: [mean_of(items + effect + shift * (run == 0)) for run in range(RUNS)] for size in ("small", "large")}
    return Sample("planted effect", {"items": np.arange(UNITS)}, runs, note=note)


def few(tables: Tables) -> Sample:
    return Sample("of five", {"items": np.arange(5)}, {"": [mean_of(np.arange(5))]})


def missing(tables: Tables) -> Sample:
    raise MissingEvidence("nothing was measured")


def published(tables: Tables, *, effect: float = 0.0) -> Aggregate:
    return Aggregate("published effect", "inputs", effect, 0.01, 100)


def recorded(tables: Tables, *, holds: bool = True) -> Record:
    return Record(holds, "the file says so", 3, "files")


@pytest.fixture(autouse=True)
def _planted_comparisons(monkeypatch):
    for function in (planted, few, missing, published, recorded):
        monkeypatch.setitem(COMPARISONS, function.__name__, function)


def test_of(effect: float, **more: object) -> dict:
    own = {"kind": "greater", "expected": "greater", "margin": 0.5, "reason": "A test."}
    return own | {"evidence": {"measured": {"by": "planted", "options": {"effect": effect}}}} | more


test_of.__test__ = False


def claim(name: str, effect: float = 1.0, **more: object) -> dict:
    entry = {"id": name, "at": "-", "statement": "Planted.", "short": "Planted", "figure": "fig1", "fixed": "before"}
    return entry | (test_of(effect) if "parts" not in more else {}) | more


def judged(tmp_path, *claims: dict, **options: bool) -> dict[str, dict]:
    path = tmp_path / "claims.yaml"
    path.write_text(yaml.safe_dump(list(claims)))
    table, _ = judge(path, {}, **options)
    return {row["id"]: row for row in table.iter_rows(named=True)}


def verdicts(tmp_path, *claims: dict) -> list[str]:
    return [row["verdict"] for row in judged(tmp_path, *claims).values()]


def test_an_interval_inside_outside_or_across_the_claimed_region(tmp_path):
    wide = test_of(0.5)["evidence"]
    assert verdicts(tmp_path, claim("a", 1.0), claim("b", 0.0), claim("c", evidence=wide)) == [
        "upheld",
        "contradicted",
        "undecided",
    ]


@pytest.mark.parametrize(
    ("kind", "expected", "effects"),
    [
        ("greater", "greater", (1, 0)),
        ("less", "less", (-1, 0)),
        ("equivalence", "equal", (0.3, 0.9)),
        ("trend", "decrease", (-1, 0.2)),
        ("noninferiority", "not less", (-0.2, -0.9)),
        ("noninferiority", "not greater", (0.2, 0.9)),
    ],
)
def test_every_kind_of_claim(tmp_path, kind, expected, effects):
    both = [claim(name, effect, kind=kind, expected=expected) for name, effect in zip("ab", effects, strict=True)]
    assert verdicts(tmp_path, *both) == ["upheld", "contradicted"]


def test_a_value_is_met_within_the_margin(tmp_path):
    both = [claim(name, effect, kind="value", expected="equal", value=2.0) for name, effect in (("a", 2.2), ("b", 0.2))]
    assert verdicts(tmp_path, *both) == ["upheld", "contradicted"]


def test_all_parts_must_hold_and_one_may_contradict(tmp_path):
    def parts(*effects: float) -> list[dict]:
        return [test_of(effect, words=f"part {number}") for number, effect in enumerate(effects)]

    rows = judged(
        tmp_path, *(claim(name, parts=parts(*effects)) for name, effects in (("a", (1, 2)), ("b", (1, 0)), ("c", (1, 0.5))))
    )
    assert [row["verdict"] for row in rows.values()] == ["upheld", "contradicted", "undecided"]
    assert [row["effect"] for row in rows.values()] == pytest.approx([1, 0, 0.5])  # of the part that decides
    assert [len(row["parts"]) for row in rows.values()] == [2, 2, 2]
    alone = judged(tmp_path, claim("d", 1.0), claim("e", 0.0))
    assert rows["a"]["p"] == pytest.approx(alone["d"]["p"])  # the largest
    assert rows["b"]["p"] == pytest.approx(2 * alone["e"]["p"])  # the smallest times the number of parts


def test_a_need_that_is_not_upheld_leaves_the_claim_untested(tmp_path):
    rows = judged(tmp_path, claim("took", 0.0), claim("a", needs=["took"]), claim("b", needs=["a"]))
    assert rows["a"]["verdict"] == "untested"
    assert "Untested: took is contradicted." in rows["a"]["sentence"]
    assert "Untested: a is untested." in rows["b"]["sentence"]
    assert rows["a"]["p"] is None
    assert judged(tmp_path, claim("took", 1.0), claim("a", needs=["took"]))["a"]["verdict"] == "upheld"


def test_a_need_without_such_evidence_binds_nothing(tmp_path):
    released = {"released": {"by": "published", "options": {"effect": 1.0}}}
    assert judged(tmp_path, claim("took", 0.0), claim("a", evidence=released, needs=["took"]))["a"]["verdict"] == "upheld"


def control(effect: float, **more: object) -> list[dict]:
    return [{"words": "a control", "test": test_of(effect)} | more]


@pytest.mark.parametrize(("shown", "verdict"), [(1.0, "upheld"), (0.0, "not specific"), (0.5, "undecided")])
def test_a_control_decides_whether_the_cause_is_the_claims(tmp_path, shown, verdict):
    row = judged(tmp_path, claim("a", control=control(shown)))["a"]
    assert row["verdict"] == verdict
    assert row["p"] is not None


def test_a_control_that_is_absent_leaves_the_claim_untested(tmp_path):
    absent = [{"words": "a control", "test": test_of(1, evidence={"measured": {"by": "missing"}})}]
    row = judged(tmp_path, claim("a", control=absent))["a"]
    assert row["verdict"] == "untested"
    assert "Untested: control (a control)." in row["sentence"]


def test_a_control_guards_upheld_claims_or_both(tmp_path):
    rows = judged(tmp_path, claim("a", 0.0, control=control(0.0)), claim("b", 0.0, control=control(0.0, guards="both")))
    assert [row["verdict"] for row in rows.values()] == ["contradicted", "not specific"]


def test_a_control_by_options_must_give_what_it_says(tmp_path):
    same = [{"words": "any shift", "gives": "same", "guards": "both", "options": [{"shift": 0.01}, {"effect": 0.0}]}]
    fails = [{"words": "the wrong one", "gives": "contradicted", "options": [{"effect": 0.0}]}]
    rows = judged(
        tmp_path,
        claim("a", control=same),
        claim("b", control=fails),
        claim("c", control=[fails[0] | {"options": [{"effect": 2}]}]),
    )
    assert [row["verdict"] for row in rows.values()] == ["not specific", "upheld", "not specific"]
    assert judged(tmp_path, claim("d", 0.0, control=same))["d"]["verdict"] == "contradicted"


def test_a_control_says_nothing_about_evidence_that_it_has_not(tmp_path):
    released = {"released": {"by": "published", "options": {"effect": 1.0}}}
    by_options = [{"words": "mix", "gives": "contradicted", "options": [{"shift": 3.0}]}]
    rows = judged(
        tmp_path, claim("a", evidence=released, control=control(0.0)), claim("b", evidence=released, control=by_options)
    )
    assert [row["verdict"] for row in rows.values()] == ["upheld", "upheld"]


def test_too_few_units_and_missing_data_say_so(tmp_path):
    rows = judged(
        tmp_path, claim("a", evidence={"measured": {"by": "few"}}), claim("b", evidence={"measured": {"by": "missing"}})
    )
    assert "5 items are too few; need 6" in rows["a"]["sentence"]
    assert rows["b"]["sentence"] == "Untested: nothing was measured."
    assert {row["verdict"] for row in rows.values()} == {"untested"}


def test_kinds_of_evidence_are_families_of_their_own(tmp_path):
    two = {
        "measured": {"by": "planted", "options": {"effect": 0.55}},
        "released": {"by": "published", "options": {"effect": 0.52}},
    }
    path = tmp_path / "claims.yaml"
    entries = [
        claim("a", evidence=two),
        claim("b", evidence=two),
        claim("c", 1.0),
        claim("d", evidence={"proxy": {"by": "missing"}}),
    ]
    path.write_text(yaml.safe_dump(entries))
    table, _ = judge(path, {})
    for source in ("measured", "released"):
        rows = table.filter(source=source)
        assert rows["p_holm"].to_list() == pytest.approx(holm(rows["p"]).tolist())
    assert table.filter(source="proxy")["p_holm"].to_list() == [None]
    assert table.filter(source="proxy")["survives_holm"].to_list() == [None]


def test_fragility_counts_runs_that_agree_by_family(tmp_path):
    fragile = claim("a", families={"effect": [{"effect": 1.1}, {"effect": 0.9}, {"effect": 0.0}], "spread": [{"spread": 0.2}]})
    path = tmp_path / "claims.yaml"
    path.write_text(yaml.safe_dump([fragile]))
    table, families = judge(path, {})
    counts = {row["family"]: (row["runs"], row["same"], row["other"], row["untested"]) for row in families.to_dicts()}
    assert counts == {"margin": (2, 1, 1, 0), "seeds": (4, 4, 0, 0), "effect": (3, 2, 1, 0), "spread": (1, 1, 0, 0)}
    assert table["fragile"].to_list() == ["margin 1/2"]  # twice the margin is the effect itself
    assert table["same_share"].to_list() == [0.5]


def test_seeds_are_every_choice_of_one_run_of_each_size(tmp_path):
    shifted = {"measured": {"by": "planted", "options": {"effect": 0.45, "spread": 0.01, "shift": 0.2}}}
    path = tmp_path / "claims.yaml"
    path.write_text(yaml.safe_dump([claim("a", evidence=shifted)]))
    table, families = judge(path, {})
    assert table["seeds_covered"].to_list() == [True]
    # .45 without a shift, .55 with one and .65 with both, on either side of .5; all four runs together are undecided
    assert table["verdict"].to_list() == ["undecided"]
    assert families.filter(family="seeds").select("runs", "same", "other").row(0) == (4, 0, 4)


def test_what_needs_another_target_is_asked_there_alone(tmp_path):
    entry = claim("a", robustness={"world": [{"effect": 0.0}]})
    assert judged(tmp_path, entry)["a"]["fragile"] == "margin 1/2"
    assert judged(tmp_path, entry, robustness=True)["a"]["fragile"] == "world 0/1"


def test_a_summary_states_what_is_sure(tmp_path):
    path = tmp_path / "claims.yaml"
    document = claim("doc", kind="document", expected="documented", margin=None, evidence={"released": {"by": "recorded"}})
    path.write_text(yaml.safe_dump([claim("sure", 3.0), claim("fragile", 1.0), claim("open", 0.5), document]))
    table, _ = judge(path, {})
    assert stated(table)["id"].to_list() == ["sure", "doc"]


def test_the_markdown_has_a_row_for_every_verdict(tmp_path):
    path = tmp_path / "claims.yaml"
    path.write_text(yaml.safe_dump([claim("a", 3.0, control=control(1.0)), claim("b", evidence={"proxy": {"by": "missing"}})]))
    table, _ = judge(path, {})
    lines = claims_markdown(table).splitlines()
    assert len(lines) == 4
    assert "3.000 [2.9" in lines[2]
    assert "a control: passed" in lines[2]
    assert "| untested |" in lines[3]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"needs": ["later"]}, "claim a: needs: later: no claim of this id stands before it"),
        ({"short": "x" * 47}, "claim a: short: "),
        ({"parts": [test_of(1)]}, "evidence, expected, kind, margin, reason: each part has its own"),
        ({"families": {"mix": [{"mix": 1}]}}, "claim a: family mix: no evidence of this claim has the option mix"),
        ({"evidence": {"measured": {"by": "planted", "options": {"strength": 1}}}}, "evidence planted has no option strength"),
        ({"control": [{"words": "none"}]}, "a control is a test, or options for the claim's own"),
        ({"evidence": {"rumour": {"by": "planted"}}}, "evidence: rumour: no such kind"),
    ],
)
def test_a_wrong_file_is_one_line(tmp_path, change, message):
    path = tmp_path / "claims.yaml"
    entry = claim("a") | change
    path.write_text(yaml.safe_dump([entry]))
    with pytest.raises(InputError) as raised:
        read_claims(path)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)
