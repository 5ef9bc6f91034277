"""Figure rows by size: planted margins by hand, the committed ones as an independent analysis has them, the suite beside them."""

import numpy as np
import polars as pl
import pytest
from test_independent_evidence import COMMITTED, SIZES, planted

from overtime.claims.association_table import association_table, preference_table
from overtime.claims.baseline_evidence import association_slope
from overtime.claims.evidence import Tables, declarations
from overtime.tables import FIGURE_COLUMNS, RELEASED_PARAMETERS

SUITE = {"xs": 0.1, "m": 0.2}


def suite_tables(follow: dict[str, float], independent: pl.DataFrame) -> Tables:
    """Models of the suite whose log-odds are `follow` times those of the corpus; two runs of each."""
    odds = np.linspace(-2, 2, 12)
    masculine = 1000 / (1 + np.exp(-odds))
    keys = {"pair": np.arange(12), "template": np.arange(12) % 3, "occupation": [f"o{i // 3}" for i in range(12)]}
    keys |= {"direction": np.where(odds > 0, "masculine", "feminine")}
    of_occupation = {"masculine": np.repeat(masculine[::3], 3), "feminine": np.repeat(1000 - masculine[::3], 3)}
    pairs = pl.DataFrame(keys | of_occupation)
    truth = np.log((pairs["masculine"] + 0.5) / (pairs["feminine"] + 0.5)).to_numpy()
    towards = np.where(pairs["direction"] == "masculine", truth, -truth)
    place = pl.DataFrame({"arm": "baseline", "seed": ["0", "1"], "step": 10})
    scores = [
        place.join(pl.DataFrame({"pair": np.arange(12), "ll_more": by * towards, "ll_less": 0.0, "model": model}), how="cross")
        for model, by in follow.items()
    ]
    inputs = {"independent_winogender": independent, "independent_winobias": independent}
    return Tables(inputs | {"pairs": pairs, "pair_scores": pl.concat(scores)} | declarations(SUITE, {}, {}, {}))


def test_shares_by_direction_are_those_of_the_planted_margins():
    """A lean of -.5 nats: of feminine occupations only those with pile above .5 / follow have the feminine form likelier."""
    table = preference_table(Tables({"independent_winobias": planted(SIZES)}))
    of = {(m, c, d): y for m, c, d, y in table.select("model", "corpus", "direction", "y").iter_rows()}
    for model, by in SIZES.items():
        feminine = (np.linspace(-1, 1, 20)[10:] * by > 0.5).mean()
        for corpus in ("standard", "deduplicated"):
            sides = of[model, corpus, "feminine"], of[model, corpus, "masculine"], of[model, corpus, "all"]
            assert sides == pytest.approx((feminine, 1.0, (feminine + 1) / 2))
    assert dict(table.select("model", "x").iter_rows()) == {model: RELEASED_PARAMETERS[model] for model in SIZES}
    counts = table.group_by("direction").agg(pl.col("n", "units").unique().implode()).rows()
    assert sorted(counts) == [("all", [40], [20]), ("feminine", [20], [10]), ("masculine", [20], [10])]
    known = table.drop_nulls("lower")
    assert known.filter((pl.col("lower") < 0) | (pl.col("upper") > 1)).is_empty()


def test_committed_shares_are_those_of_an_independent_analysis():
    table = preference_table(Tables(COMMITTED)).filter(direction="all")
    standard, other = (table.filter(corpus=corpus).sort("x")["y"].to_list() for corpus in ("standard", "deduplicated"))
    assert standard == pytest.approx([0.505, 0.551, 0.645, 0.678, 0.679, 0.689, 0.691], abs=0.0006)
    assert other == pytest.approx([0.503, 0.542, 0.664, 0.621, 0.673, 0.645, 0.625], abs=0.0006)


def test_committed_slopes_and_correlations_are_those_of_an_independent_analysis():
    table = association_table(Tables(COMMITTED), {}).filter(sentences="winogender").sort("x")
    of = {key: part["y"].to_list() for key, part in table.group_by("corpus", "metric", maintain_order=True)}
    assert of["standard", "slope"] == pytest.approx([0.73, 1.07, 1.47, 1.52, 1.59, 1.78, 1.63], abs=0.006)
    assert of["deduplicated", "slope"] == pytest.approx([1.00, 0.55, 1.15, 1.62, 1.63, 1.66, 1.49], abs=0.006)
    assert of["standard", "correlation"] == pytest.approx([0.50, 0.62, 0.73, 0.70, 0.76, 0.73, 0.71], abs=0.006)
    assert of["deduplicated", "correlation"] == pytest.approx([0.66, 0.49, 0.62, 0.72, 0.75, 0.78, 0.73], abs=0.006)


def test_the_suite_has_rows_of_its_own_whose_mean_is_the_claims():
    tables = suite_tables({"xs": 0.25, "m": 0.75}, planted(SIZES))
    table = association_table(tables, SUITE)
    assert table.columns[: len(FIGURE_COLUMNS)] == list(FIGURE_COLUMNS)
    suite = table.filter(source="measured", metric="slope").sort("x")
    assert suite["model"].to_list() == ["xs", "m"]
    assert suite["y"].to_list() == pytest.approx([0.25, 0.75])
    assert suite["seeds"].to_list() == [2, 2]
    assert association_slope(tables).estimate().interval().estimate == pytest.approx(suite["y"].mean())
    assert set(table.filter(source="released by others")["model"]) == set(SIZES)
    by_others = table.filter(source="released by others", sentences="winogender", corpus="standard", metric="slope").sort("x")
    assert by_others["y"].to_list() == pytest.approx(list(SIZES.values()))


def test_a_suite_that_does_not_allow_it_is_left_out():
    table = association_table(Tables({"independent_winogender": planted(SIZES), "independent_winobias": planted(SIZES)}), {})
    assert set(table["source"]) == {"released by others"}
