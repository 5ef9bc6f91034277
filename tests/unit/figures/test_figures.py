"""The figures, drawn from synthetic tables with the columns of the real ones."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import polars as pl
import pytest
from figures_drawn import SETTINGS, TABLES, data, drawn_anew, written

from overtime import InputError
from overtime.figures import theme
from overtime.figures.captions import TEMPLATES, caption
from overtime.figures.catalog import FIGURES
from overtime.figures.draw import draw
from overtime.tables import arm_table, by_size, with_arms


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("figures")
    draw(TABLES, path)
    return path


def test_draws_every_figure_in_three_formats(folder: Path) -> None:
    assert set(TABLES) == set(FIGURES)
    assert {path.name for path in folder.iterdir()} == {
        f"{name}.{suffix}" for name in FIGURES for suffix in ("svg", "png", "json")
    }
    for name in FIGURES:
        svg = (folder / f"{name}.svg").read_text()
        size = [float(value) for value in re.search(r'width="([\d.]+)" height="([\d.]+)"', svg).groups()]
        header = (folder / f"{name}.png").read_bytes()[16:24]
        pixels = [int.from_bytes(header[:4], "big"), int.from_bytes(header[4:], "big")]
        assert pixels == pytest.approx([2 * side for side in size], abs=2)
        assert 700 <= size[0] <= 1180, f"{name} is {size[0]} wide"
        assert min(float(found) for found in re.findall(r'font-size="([\d.]+)px"', svg)) >= 11


@pytest.mark.parametrize("name", ["fig4", "fig5"])
def test_control_characters_in_texts_leave_a_drawing_that_can_be_read(name: str, tmp_path: Path) -> None:
    """A file from anywhere can hold them; XML cannot."""
    marked = pl.col("series") + "\x00\x1b[1m\x85\ufffe <&\u2028 王"
    draw({name: TABLES[name].with_columns(marked)}, tmp_path)
    text = "".join(ElementTree.parse(tmp_path / f"{name}.svg").getroot().itertext())
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe]", text)
    assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_drawing_is_repeatable(folder: Path, tmp_path: Path) -> None:
    draw({"fig4": TABLES["fig4"]}, tmp_path)
    for suffix in ("svg", "json", "png"):
        assert (tmp_path / f"fig4.{suffix}").read_bytes() == (folder / f"fig4.{suffix}").read_bytes()


@pytest.mark.parametrize("name", FIGURES)
def test_equal_tables_give_equal_specifications(name: str) -> None:
    """Groups of a table come in random order unless it is asked for; a wrong one shows with probability 7/8 at the least."""
    assert {drawn_anew(name, TABLES[name]) for _ in range(3)} == {written(name)}


@pytest.mark.parametrize("name", FIGURES)
def test_says_what_it_shows(name: str) -> None:
    text = written(name)
    specification = json.loads(text)
    assert len(specification["description"]) > 60
    assert specification["title"]["text"] in specification["description"]
    for source in set(TABLES[name]["source"]) - {"spoken"}:
        assert f'"{theme.EVIDENCE_NAMES[source]}: ' in text
    assert re.search(r"n = \d", text)
    assert "upper" in text


@pytest.mark.parametrize(("name", "column"), [("fig1", "y"), ("fig3", "lower"), ("fig5", "y"), ("fig7", "y")])
def test_draws_the_numbers_of_the_table(name: str, column: str) -> None:
    drawn = {round(row[column], 5) for row in data(name) if row.get(column) is not None}
    measured = TABLES[name].filter(pl.col("source") == "measured")
    if name == "fig1":
        measured = measured.filter(direction="all", metric="stereotype")
    if name == "fig7":
        measured = measured.filter(pl.col("kind") != "divergence")
    assert {round(value, 5) for value in measured[column]} <= drawn


def test_models_are_ordered_by_size_and_keep_their_colour() -> None:
    sizes = {
        "bloom": 176.0,
        "b-again": 7.1,
        "tiny": 0.56,
        "gpt": 1.3,
        "b": 1.7,
        "a": 1.7,
        "xs": 1e-5,
        "s": 1e-4,
        "m": 1e-3,
        "l": 1e-2,
    }
    sizes |= {"pythia-6.9b": 6.86}

    def rows(*models: str | None) -> pl.DataFrame:
        columns = {"model": pl.String, "parameters": pl.Float64}
        return pl.DataFrame([(model, sizes.get(model)) for model in models], columns, orient="row")

    def colours(*models: str) -> dict[str, str]:
        scale = theme.model_colour(rows(*models)).to_dict()["scale"]
        return dict(zip(scale["domain"], scale["range"]))

    names = ["bloom", "b-again", "tiny", "b", "gpt", "a"]
    assert theme.by_parameters(rows(*names, None)) == ["tiny", "gpt", "a", "b", "b-again", "bloom"]
    assert by_size(names, sizes) == ["tiny", "gpt", "a", "b", "b-again", "bloom"]
    everyone = colours("xs", "s", "m", "l")
    assert colours("m", "s") == {name: everyone[name] for name in ("s", "m")}
    assert colours("pythia-6.9b")["pythia-6.9b"] == everyone["l"]
    brightness = [sum(int(colour[place : place + 2], 16) for place in (1, 3, 5)) for colour in everyone.values()]
    assert brightness == sorted(brightness, reverse=True)
    assert len(set(colours(*names).values())) == len(names)


def test_arms_have_the_line_styles_of_the_talk() -> None:
    dashes = theme.arm_dashes(TABLES["fig1"])
    arms = [
        "masculine→feminine, last 7%",
        "masculine→feminine, last 14%",
        "masculine→feminine, last 21%",
        "two-way swap, last 14%",
    ]
    assert list(dashes) == ["baseline", *arms]
    assert dashes["baseline"][1] == 0
    assert len({tuple(dash) for dash in dashes.values()}) == 5
    assert len(dashes[arms[2]]) == 4


def test_arms_are_called_what_they_do() -> None:
    arms = {"swap14": {"rewrite": "masculinize", "share": 0.14}, "b": {"rewrite": "feminize", "share": 0.075}}
    arms |= {"half": {"rewrite": "feminize", "share": 0.5, "probability": 0.25}, "a": {"rewrite": "released", "share": 0.075}}
    arms |= {"cda": {"rewrite": "swap", "share": 0.1, "probability": 0.5}, "both": {"rewrite": "swap", "share": 0.1}}
    assert dict(arm_table(arms).select("arm", "label").iter_rows()) == {
        "baseline": "baseline",
        "b": "masculine→feminine, last 7.5% (b)",
        "half": "masculine→feminine of 25% of documents, last 50%",
        "a": "masculine→feminine, last 7.5% (a)",
        "swap14": "feminine→masculine, last 14%",
        "both": "two-way swap, last 10% (both)",
        "cda": "two-way swap, last 10% (cda)",
    }
    unknown = with_arms(pl.DataFrame({"arm": ["baseline", "late"]}), arm_table(arms))
    assert unknown["label"].to_list() == ["baseline", "late"]


@pytest.mark.parametrize(
    ("name", "source"),
    [("fig1", "released"), ("fig1", "measured"), ("fig1_audit", "released"), ("fig7", "released"), ("fig7", "measured")],
)
def test_one_kind_of_evidence_suffices(name: str, source: str) -> None:
    other = {"released": "Measured: ", "measured": "Released: "}[source]
    assert other not in written(name, TABLES[name].filter(pl.col("source") == source))


def test_spoken_values_are_drawn_as_said() -> None:
    rows = {row["series"]: row for row in data("fig3") if "series" in row}
    assert rows["BLOOM-176B, rare facts"]["bin_high"] == 99
    assert rows["BLOOM-176B, average of all questions"]["y"] == 0.55
    assert max(row["bin_high"] for row in rows.values()) <= TABLES["fig3"]["x"].max()


def test_human_line_is_drawn_or_its_absence_stated() -> None:
    assert "No human line (suite, encyclopedia, xquad)" in written("fig5")
    human = TABLES["fig5"].filter((pl.col("condition") == "oracle") & (pl.col("model") == "s"))
    human = human.with_columns(condition=pl.lit("human"), model=pl.lit(None, pl.String), source=pl.lit("released"))
    text = written("fig5", pl.concat([TABLES["fig5"], human]))
    assert "No human line (encyclopedia, xquad)" in text
    assert "human annotators" in text


def test_figures_3_and_5_say_what_their_bands_are_over() -> None:
    """A band over entities or passages says so, and points tell how many; where every question stands alone, that is said."""
    assert "n = 180 questions per bin; band: 95% interval over 60 entities" in written("fig3")
    assert "n = 40 questions per bin; band: 95% interval over questions" in written("fig3")
    assert '["n = 60 questions per bin", "band: 95% interval over 20 entities"]' in written("fig5")
    assert '"bar: 95% interval over 12 passages"' in written("fig5")
    for name, units in {"fig3": {60, 40}, "fig5": {20, 12}}.items():
        assert '"title": "independent units"' in written(name)
        assert units <= {row.get("units") for row in data(name)}


def test_curves_over_fewer_questions_and_questions_without_a_count_are_told() -> None:
    table = TABLES["fig5"].filter(pl.col("set") == "suite", pl.col("model") == "s")
    assert "of them" not in written("fig5", table)
    human = table.filter(condition="oracle").with_columns(condition=pl.lit("human"), model=pl.lit(None, pl.String), n=pl.lit(4))
    assert "s, suite: curves over 540 questions, human annotators over 36 of them." in written(
        "fig5", pl.concat([table, human], how="vertical_relaxed")
    )
    nowhere = dict.fromkeys(("x", "bin_low", "bin_high"), pl.lit(None))
    beside = table.filter(pl.col("bin_low") == 1).with_columns(**nowhere, n=pl.lit(7), y=pl.lit(0.123))
    drawn = pl.concat([table, beside], how="vertical_relaxed")
    assert "7 questions whose count is not known are not drawn" in written("fig5", drawn)
    assert not [row for row in data("fig5", drawn) if row.get("y") == 0.123]


def test_a_proxy_is_named_on_its_axis_and_has_no_spoken_marks() -> None:
    text, panel = written("fig3"), written("fig3", TABLES["fig3"].filter(pl.col("corpus").is_null()))
    assert 'a popularity proxy"' in text
    assert "BLOOM-176B" in text
    assert "BLOOM-176B" not in panel


def test_trends_and_hit_rates_are_drawn_beside_accuracy() -> None:
    trends = [row for row in data("fig3") if row.get("y") == 0.6 and row.get("upper") == 0.7]
    assert {row["model"] for row in trends} == set(TABLES["fig3"]["model"].drop_nulls())
    assert [row["label"] for row in data("fig3") if row.get("y") == 0.44] == ["smollm2-135m, within families"]
    for share in (0.86, 0.91):  # of own passages, and of passages with the answer
        shown = [row for row in data("fig5") if row.get("y") == share]
        assert {row["condition"] for row in shown} == {"BM25, top passage", "BM25, top 3 passages"}
    assert any((row.get("own"), round(row.get("hit") or 0, 2)) == (0.93, 0.98) for row in data("fig5"))


def test_articles_of_an_encyclopedia_are_three_bins_and_a_proxy() -> None:
    for name in ("fig3", "fig5"):
        drawn = TABLES[name].filter(set="encyclopedia")
        assert {row["x"] for row in data(name, drawn) if isinstance(row.get("x"), str)} == {"0 to 1", "2 to 3", "4 or more"}
        text = written(name, drawn)
        assert "Proxy: " in text
        assert "log scale" not in text
        assert '"sort": ["0 to 1", "2 to 3", "4 or more"]' in text.replace('","', '", "').replace('":[', '": [')
    assert "an encyclopedia sample for the training corpus" in written("fig3")


def test_counts_of_zero_survive_the_logarithmic_axis() -> None:
    zero = TABLES["fig3"].with_columns(x=pl.when(pl.col("bin_low") == 1).then(0.0).otherwise(pl.col("x")))
    assert min(row["x"] for row in data("fig3", zero) if isinstance(row.get("x"), float)) == 0.5
    assert "? '0' :" in written("fig3", zero)


def test_long_answers_are_cut_visibly_and_kept_whole_as_tooltip() -> None:
    cells = [row for row in data("fig6") if row.get("condition") == "persona prompt" and "text" in row]
    assert all(row["text"][-1].endswith("[...]") and len(row["text"]) == 7 for row in cells)
    assert all(len(row["full"]) > 400 for row in cells)


def test_layers_are_drawn_at_the_most_demonstrations() -> None:
    fewer = (
        TABLES["fig7"].filter(kind="layers", demonstrations=15).with_columns(demonstrations=pl.lit(2, pl.Int64), y=pl.lit(0.123))
    )
    rows = data("fig7", pl.concat([TABLES["fig7"], fewer]))
    assert 0.123 not in {row.get("y") for row in rows}
    assert {row["demonstrations"] for row in rows if "demonstrations" in row} == {0, 8, 15, 39}


def test_landmarks_stand_on_lines_of_their_own_and_half_and_random_labels_have_a_look() -> None:
    injected = TABLES["fig7"].filter(kind="landmark").with_columns(condition=pl.lit("injection"), y=pl.col("y") + 1)
    partly = TABLES["fig7"].filter(kind="layers", condition="benign").with_columns(condition=pl.lit("random"))
    rows = data("fig7", pl.concat([TABLES["fig7"], injected, partly]))
    marks = [row for row in rows if row.get("landmark")]
    assert {row["y"] for row in marks if row["condition"] == "few-shot with injection"} == {18.5, 20}
    assert len({row["place"] for row in marks}) == len({(row["condition"], row["landmark"]) for row in marks}) == 4
    assert max(row["place"] for row in marks) < 0.2
    assert "few-shot, random labels" in {row.get("condition") for row in rows}


def test_only_the_named_measure_is_drawn() -> None:
    assert not {0.777, 0.333} & {row.get("y") for row in data("fig7_detect")}
    assert all(f"injection against {control}" in written("fig7_detect") for control in ("benign suffix", "the label named"))
    assert 0.0123 not in {row.get("y") for row in data("fig7_defend")}
    assert {row["policy"] for row in data("fig7_defend")} >= {"last layer (no defence)", "early exit"}


@pytest.mark.parametrize(
    ("name", "table", "message"),
    [
        ("fig9", TABLES["fig3"], "no such figure"),
        ("fig3", TABLES["fig3"].drop("n"), "lacks the columns n"),
        ("fig5", TABLES["fig5"].drop("condition"), "condition"),
        ("fig4", TABLES["fig4"].clear(), "no rows"),
        ("fig3", TABLES["fig3"].with_columns(y=pl.lit(float("nan"))), "fig3: its table: column y, row 1: nan"),
        ("fig7", TABLES["fig7"].with_columns(upper=pl.lit(float("inf"))), "fig7: its table: column upper, row 1: inf"),
    ],
)
def test_unfit_tables_give_one_clear_line(name: str, table: pl.DataFrame, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message) as caught:
        draw({name: table}, tmp_path)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", FIGURES)
def test_caption_follows_the_table(name: str) -> None:
    text = caption(name, TABLES[name], settings=SETTINGS)
    assert text.startswith("# ")
    assert len(text.split("\n\n")) >= 2
    assert "{" not in text
    typed = re.sub(r"\{[{%].*?[%}]\}", "", (TEMPLATES / f"{name}.md").read_text(), flags=re.DOTALL)
    assert set(re.findall(r"(?<![A-Za-z\d])\d[\d.,]*", typed)) <= {"95"}, "numbers in captions come from the table"


def test_caption_states_computed_numbers() -> None:
    assert "0, 30, 100 and 300 documents" in caption("fig4", TABLES["fig4"], {})
    assert "60.8% on the released pairs, 60.6% on the suite's pairs" in caption("fig1", TABLES["fig1"], {})
    text = caption("fig7", TABLES["fig7"], {})
    assert "Critical layers by the tuned lens, with intervals over groups: sentiment, false 19 [17, 21]" in text
    assert "on packages tuned 2.25 to 0.07, logit 105.90 to 3.53; on other text, wikitext-2 tuned" in text
    assert "33.3% of the normal prompts of other tasks" in caption("fig7_detect", TABLES["fig7_detect"], {})
    assert "61 questions in a bin" in caption("fig5", TABLES["fig5"].with_columns(n=pl.lit(61)), SETTINGS)
    with pytest.raises(InputError, match="no caption template for figure fig9"):
        caption("fig9", TABLES["fig1"], {})
    with pytest.raises(InputError, match=r"fig5\.md: .*condition"):
        caption("fig5", TABLES["fig5"].drop("condition"), SETTINGS)
