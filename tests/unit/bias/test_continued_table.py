"""Rows of models that are trained further: where curves begin, and how texts differ from the original on the same stretch."""

import numpy as np
import polars as pl
import pytest
from scipy.stats import t

from overtime.bias.continued_table import continued_table, placed
from overtime.tables import continued_runs

LOG_ODDS = {"original": (-2.0, -2.4, -1.9), "feminize": (3.0, 3.4, 3.1)}  # after training, by stretch
TEXTS = {"original": (None, None), "feminize": ("feminize", 1.0)}
ITEMS = np.linspace(-0.5, 0.5, 11)


def described() -> pl.DataFrame:
    return continued_runs(
        [
            {"run": f"real.{text}.{stretch}", "family": "real", "text": text, "stretch": stretch, "parameters": 0.1, "tokens": 64}
            | dict(zip(("rewrite", "probability"), how))
            for text, how in TEXTS.items()
            for stretch in range(3)
        ]
    )


def scored(runs: pl.DataFrame, change) -> pl.DataFrame:
    """Every run at 32 tokens, where nothing has changed, and at 64."""
    rows = []
    for run, text, stretch in runs.select("run", "text", "stretch").iter_rows():
        for step, tokens in ((1, 32), (2, 64)):
            value = LOG_ODDS[text][stretch] if step == 2 else 0.0
            place = {"run": pl.lit(run), "step": pl.lit(step), "percent": pl.lit(50.0 * step), "tokens": pl.lit(tokens)}
            rows.append(pl.DataFrame(change(value)).with_columns(**place))
    return pl.concat(rows)


def began(change) -> pl.DataFrame:
    return pl.DataFrame(change(0.1)).with_columns(family=pl.lit("real"), step=0, percent=0.0, tokens=0)


def contexts(value: float) -> dict:
    return {"context": range(11), "contrast": "she/he", "log_odds": ITEMS + value}


def pairs(value: float) -> dict:
    """Eleven feminine pairs, whose stereotype gains by the log-odds, and eleven masculine ones; one without a direction."""
    sides = ["feminine"] * 11 + ["masculine"] * 11 + [None]
    return {"pair": range(23), "direction": sides, "ll_more": [*(ITEMS + value), *(ITEMS - value), 1.0], "ll_less": 0.0}


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    runs = described()
    both = [placed(scored(runs, change), began(change), runs) for change in (pairs, contexts)]
    return continued_table(*both, runs)


def test_every_curve_begins_at_the_model_before_training(table):
    curve = table.filter(kind="curve", metric="pronouns", arm="feminize").sort("x")
    assert curve["x"].to_list() == [0, 32, 64]
    assert curve["y"].to_list() == pytest.approx([0.1, 0.0, 9.5 / 3])
    assert curve["seeds"].to_list() == [3, 3, 3]
    assert table.filter(kind="curve", x=0)["y"].n_unique() == 4, "one value for both texts: pronouns, all pairs, either side"
    assert set(table.drop_nulls("arm")["label"]) == {"original text", "masculine→feminine", "original, another stretch"}
    shares = dict(table.filter(kind="curve", metric="stereotype", arm="feminize", x=64).select("direction", "y").iter_rows())
    assert shares == {"all": pytest.approx(12 / 23), "feminine": 1.0, "masculine": 0.0}


def test_differences_at_the_end_are_paired_by_stretch_and_a_stretch_is_compared_with_those_before(table):
    ends = table.filter(kind="difference", metric="pronouns")
    paired = np.array([5.0, 5.8, 5.0])
    apart = np.array([-0.4, 0.3])
    for arm, values in (("feminize", paired), ("stretch", apart)):
        [row] = ends.filter(arm=arm).to_dicts()
        reach = t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
        assert (row["y"], row["lower"], row["upper"]) == pytest.approx(
            (values.mean(), values.mean() - reach, values.mean() + reach)
        )
        assert (row["n"], row["seeds"], row["x"]) == (11, len(values), 64)
    shares = table.filter(kind="difference", metric="stereotype", arm="feminize")
    assert dict(shares.select("direction", "y").iter_rows()) == {
        "all": pytest.approx(0),
        "feminine": pytest.approx(1),
        "masculine": pytest.approx(-1),
    }


def test_without_the_pairs_there_are_pronouns_alone():
    runs = described()
    nothing = placed(pl.DataFrame(), pl.DataFrame(), runs)
    table = continued_table(nothing, placed(scored(runs, contexts), began(contexts), runs), runs)
    assert set(table["metric"]) == {"pronouns"}
