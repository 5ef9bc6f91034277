"""The figures of case study 1: where curves start, which code scored a point, panels of published and of real models."""

import json

import polars as pl
import pytest
from figure_tables import declared, published_bias
from figures_drawn import SETTINGS, TABLES, data, written

from overtime.figures import audit, bias
from overtime.figures.captions import caption
from overtime.figures.draw import build


def bias_rows(*rows: tuple[str, str, int, float]) -> pl.DataFrame:
    columns = {"direction": "all", "metric": "stereotype"}
    table = pl.DataFrame(rows, schema=["source", "arm", "step", "y"], orient="row")
    named = table.with_columns(pl.lit(value).alias(name) for name, value in columns.items())
    return declared(named.with_columns(model=pl.lit("m"), x=pl.col("step") / 10))


def test_released_interventions_start_at_the_baseline_point_of_the_same_step() -> None:
    curves = bias.with_starts(
        bias_rows(
            ("released", "baseline", 900, 0.5),
            ("released", "baseline", 930, 0.6),
            ("released", "swap7", 930, 0.55),
            ("released", "swap21", 910, 0.52),
            ("released", "swap21", 930, 0.53),
        )
    )
    starts = curves.filter(pl.col("start"))
    assert starts.select("arm", "step", "y").rows() == [("swap21", 900, 0.5), ("swap7", 930, 0.6)]


def test_measured_interventions_start_at_the_checkpoint_before_their_first() -> None:
    rows = [("measured", "baseline", step, step / 1000) for step in (790, 860, 930, 1000)] + [("measured", "cda14", 930, 0.7)]
    starts = bias.with_starts(bias_rows(*rows)).filter(pl.col("start"))
    assert starts.select("arm", "step", "y").rows() == [("cda14", 860, 0.86)]


def test_late_means_stay_within_one_code() -> None:
    rows = [
        ("baseline", 100, "a", 0.9),
        ("baseline", 113, "a", 0.60),
        ("baseline", 134, "b", 0.66),
        ("baseline", 143, "a", 0.62),
        ("swap21", 114, "a", 0.59),
        ("swap7", 134, "a", 0.57),
    ]
    table = pl.DataFrame(rows, schema=["arm", "step", "code", "y"], orient="row").with_columns(model=pl.lit("m"))
    table = declared(table)
    means = {(arm, code): (y, n) for arm, code, y, n in audit.late_means(table).select("arm", "code", "y", "n").iter_rows()}
    assert means["baseline", "a"] == (pytest.approx(0.61), 2)
    assert means["baseline", "b"] == (pytest.approx(0.66), 1)
    assert means["swap7", "a"] == (pytest.approx(0.57), 1)


def test_released_points_are_marked_by_evaluation_code() -> None:
    text = written("fig1")
    assert "○ 8164ebc, ■ d36f623" in text
    assert "swap 21%" in text
    assert "d36f623" not in written("fig2")


def test_published_checkpoints_get_panels_of_their_own() -> None:
    published = declared(pl.DataFrame(published_bias({"pythia-1.4b": 0.6}), infer_schema_length=None))
    table = pl.concat([TABLES["fig1"], published], how="diagonal_relaxed")
    text = written("fig1", table)
    order = [text.index(title) for title in ("Released: all pairs", "published checkpoints, all pairs", "the suite, all pairs")]
    assert order == sorted(order)
    assert "Measured, pythia-1.4b, last step: baseline" in text
    assert text.count('"Measured: did the swap take?') == 2
    assert "always feminine: 60.8% (240 pairs)" in text
    kept = build("fig1", table.filter(pl.col("kind") != "suite")).to_dict()
    assert {row["model"] for rows in kept["datasets"].values() for row in rows if "model" in row} == {
        "pythia-410m",
        "pythia-1.4b",
    }
    assert "checkpoints' pairs" in caption("fig1", table, SETTINGS)


def test_a_test_that_could_not_be_had_is_said_to_be_missing() -> None:
    left = TABLES["fig1_pretrained"].filter(pl.col("test") == "pronouns_english")
    text = written("fig1_pretrained", left)
    assert "CrowS-Pairs is not shown" in text
    assert "WinoBias is not shown" in text
    assert "could not be had" in caption("fig1_pretrained", left, SETTINGS)
    assert "is not shown" not in written("fig1_pretrained")


def test_the_real_model_is_drawn_beside_the_reference_of_its_pairs() -> None:
    rows = [row for row in data("fig1_pretrained") if "row" in row]
    places = {}
    for row in rows:
        places.setdefault(row["row"], set()).add(round(row["y"], 3))
    assert places["feminine-favouring (146)"] == {0.55, 1.0}
    assert places["all gender pairs (320)"] == {0.506, 0.608}
    assert places["type 1, net bias (396)"] == {0.07}
    assert 0.4321 not in {row["y"] for row in rows}


def test_each_text_has_a_panel_of_its_own() -> None:
    text = written("fig1_audit")
    assert "Measured: the encyclopedia" in text
    assert "n = 10,033 summaries, 8,812 gendered words," in text
    assert {row["y"] for row in data("fig1_audit") if row.get("measure") == "masculine_pronouns"} == {0.88}
    told = caption("fig1_audit", TABLES["fig1_audit"], SETTINGS)
    assert "Of the encyclopedia 83% of the gendered words are masculine after them (83% before, 8,812 words)." in told


def test_a_text_without_gendered_words_and_no_text_at_all_can_be_drawn() -> None:
    table = TABLES["fig1_audit"]
    empty = table.filter(pl.col("measure").is_in(["masculine_words", "masculine_pronouns"]).not_())
    assert "0 gendered words" in written("fig1_audit", empty)
    assert "summaries" not in written("fig1_audit", table.filter(pl.col("text").is_null()))


def test_what_others_scored_has_panels_by_size_and_no_curve_over_training() -> None:
    text = written("fig2")
    order = [text.index(f'"{title}') for title in ("Released: all pairs", "Released by others: WinoBias", "Measured: the suite")]
    assert order == sorted(order)
    assert "n = 396 to 792 sentences, 19 to 39 occupations" in text
    drawn = {(row["model"], row["curve"], round(row["y"], 5)) for row in data("fig2") if "curve" in row}
    others = TABLES["fig2"].filter(kind="others")
    names = {"all": "both alike"} | {side: side for side in ("feminine", "masculine")}
    assert drawn == {(m, names[side], round(y, 5)) for m, side, y in others.select("model", "direction", "y").iter_rows()}
    assert "pythia-12b" not in "".join(json.loads(text)["title"]["subtitle"])
    assert "on 792 WinoBias sentences" in caption("fig2", TABLES["fig2"], SETTINGS)
    assert "Released by others" not in written("fig1")


def test_association_keeps_the_suite_apart_and_says_where_it_is_lacking() -> None:
    table = TABLES["fig2_association"]
    text = written("fig2_association")
    assert "Released by others, WinoBias, the Pile without duplicates: slope " in text
    assert "Measured, the suite's pairs, the suite's corpus: slope " in text
    for rows in json.loads(text)["datasets"].values():
        models = {row["model"] for row in rows if "model" in row}
        assert not ("m" in models and any(name.startswith("pythia") for name in models))
    alone = table.filter(pl.col("sentences") != "suite")
    assert "The suite is not shown" in written("fig2_association", alone)
    assert "The suite is not shown" in caption("fig2_association", alone, SETTINGS)
    bounds = pl.lit(None, pl.Float64)
    assert "upper" in written("fig2_association", table.with_columns(lower=bounds, upper=bounds))
