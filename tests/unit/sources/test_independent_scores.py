"""Scores of the talk's models by others: the committed tables are the raw files, and bad files are refused."""

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from overtime import InputError
from overtime.sources.independent_scores import read_associations, read_winobias_margins, write_independent_scores
from overtime.sources.ledger import read_ledger, select
from overtime.sources.scored_by_others import same_model, scored_models, sentence_hash

ROOT = Path(__file__).parents[3]
MIRROR = Path(os.environ.get("OVERTIME_MIRROR", ROOT.parent / "shared" / "mirror"))
TABLES = ROOT / "workflow/overtime/resources/released"
KEYS = {"sentence", "occupation", "pile", "direction"}
SIZES = ["70m", "160m", "410m", "1.4b", "2.8b", "6.9b", "12b"]
MODELS = {"gpt-j-6b", *(f"pythia-{size}{corpus}" for size in SIZES for corpus in ("", "-deduped"))}
WINOBIAS, WINOGENDER = (pl.read_csv(TABLES / f"independent_{name}.csv") for name in ("winobias", "winogender"))


def test_committed_tables_are_the_raw_files(tmp_path):
    if not MIRROR.is_dir():
        pytest.skip(f"no mirror of the public files at {MIRROR}")
    source = select(read_ledger(ROOT / "config/sources.csv"), "unstereo-eval")[0]
    write_independent_scores(MIRROR / source.url.removeprefix("https://").removesuffix(f"/{source.file}"), tmp_path)
    for name in ("winobias", "winogender"):
        assert (tmp_path / f"independent_{name}.csv").read_bytes() == (TABLES / f"independent_{name}.csv").read_bytes()


def test_tables_hold_all_models_and_no_sentence():
    assert set(WINOBIAS.columns) - KEYS == set(WINOGENDER.columns) - KEYS == MODELS
    assert dict(WINOBIAS["direction"].value_counts().iter_rows()) == {"feminine": 396, "masculine": 396}
    assert (WINOBIAS["occupation"].n_unique(), WINOGENDER["occupation"].n_unique(), WINOGENDER.height) == (40, 60, 120)
    for table in (WINOBIAS, WINOGENDER):
        assert table["sentence"].n_unique() == table.height
        assert not table["sentence"].str.contains(r"[^0-9a-f]").any()
        assert not any(table[name].null_count() for name in table.columns)


@pytest.mark.parametrize(
    ("model", "share", "margin", "slope", "correlation"),
    [
        ("pythia-70m", 0.505, 0.14, 0.73, 0.50),
        ("pythia-70m-deduped", 0.503, 0.01, 1.00, 0.66),
        ("pythia-410m", 0.645, 0.59, 1.47, 0.73),
        ("pythia-410m-deduped", 0.664, 0.55, 1.15, 0.62),
        ("pythia-6.9b", 0.689, 0.89, 1.78, 0.73),
        ("pythia-12b-deduped", 0.625, 0.76, 1.49, 0.73),
    ],
)
def test_tables_give_the_numbers_of_an_independent_analysis(model, share, margin, slope, correlation):
    towards = pl.when(pl.col("direction") == "feminine").then(pl.col(model)).otherwise(-pl.col(model))
    sides = WINOBIAS.group_by("direction").agg((towards > 0).mean().alias("share"), towards.mean().alias("margin"))
    assert sides["share"].mean() == pytest.approx(share, abs=0.0006)
    assert sides["margin"].mean() == pytest.approx(margin, abs=0.006)
    x, y = WINOGENDER["pile"].to_numpy(), WINOGENDER[model].to_numpy()
    assert np.polyfit(x, y, 1)[0] == pytest.approx(slope, abs=0.006)
    assert np.corrcoef(x, y)[0, 1] == pytest.approx(correlation, abs=0.006)


def test_a_sentence_is_known_by_its_words():
    assert sentence_hash("The Nurse  said that he left.") == sentence_hash("the nurse said that he left.")
    assert sentence_hash("the nurse said that he left.") != sentence_hash("the nurse said that she left.")


ROW = {
    "word": "baker",
    "target_word": "he",
    "stereotype": "True",
    "M_template": "He bakes.",
    "M_logprob": "-2.5",
    "F_logprob": "-3.0",
    "FM_logprob": "-0.5",
}


def scores(folder: Path, model: str, **changed: str) -> Path:
    row = ROW | changed
    path = folder / f"x__scores__EleutherAI__{model}.csv"
    path.write_text(",".join(row) + "\n" + ",".join(row.values()) + "\n")
    return path


def test_a_margin_by_hand(tmp_path):
    scores(tmp_path, "pythia-70m")
    expected = {"sentence": sentence_hash("he bakes."), "occupation": "baker", "direction": "masculine", "pythia-70m": -0.5}
    assert read_winobias_margins(tmp_path).to_dicts() == [expected]
    scores(tmp_path, "pythia-70m", stereotype="False")
    assert read_winobias_margins(tmp_path)["direction"].to_list() == ["feminine"]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"FM_logprob": "0.5"}, "row 1: FM_logprob is not F_logprob - M_logprob"),
        ({"F_logprob": "NaN"}, "row 1: FM_logprob is not F_logprob - M_logprob"),
        ({"F_logprob": ""}, "row 1 has no F_logprob"),
        ({"M_logprob": "much"}, "not a table with the columns"),
        ({"M_template": "He cooks."}, "other sentences than x__scores__EleutherAI__pythia-1.4b.csv, or another order"),
    ],
)
def test_a_broken_file_is_named(tmp_path, changed, message):
    scores(tmp_path, "pythia-1.4b")
    broken = scores(tmp_path, "pythia-70m", **changed)
    with pytest.raises(InputError, match=message) as error:
        read_winobias_margins(tmp_path)
    assert str(broken) in str(error.value)


def test_no_scores_and_words_that_stand_twice_are_refused(tmp_path):
    with pytest.raises(InputError, match="no scores of a model of EleutherAI"):
        read_winobias_margins(tmp_path)
    words = tmp_path / "words.csv"
    words.write_text("word,pmi_diff\nbaker,0.5\nbaker,0.6\n")
    with pytest.raises(InputError, match=r"words\.csv: the word 'baker' stands twice"):
        read_associations(words)


@pytest.mark.parametrize(
    ("hub", "revision", "same"),
    [
        ("EleutherAI/pythia-410m", None, "pythia-410m"),
        ("EleutherAI/pythia-410m-deduped", "step143000", "pythia-410m-deduped"),
        ("EleutherAI/gpt-j-6b", "float16", "gpt-j-6b"),
        ("EleutherAI/pythia-410m", "step142000", None),
        ("EleutherAI/pythia-410m-deduped-v0", "step143000", None),
        ("EleutherAI/pythia-intervention-410m-deduped", "step143000", None),
        ("someone/pythia-410m", None, None),
        (None, None, None),
    ],
)
def test_a_model_is_the_same_at_the_end_of_the_same_training(hub, revision, same):
    scored = scored_models(TABLES / "independent_winobias.csv")
    assert set(scored) == MODELS
    assert same_model(hub, revision, scored) == same


def test_a_table_of_scores_without_its_keys_is_named(tmp_path):
    (tmp_path / "scores.csv").write_text("sentence,pythia-70m\n")
    with pytest.raises(InputError, match=r"scores\.csv: no column occupation; expected sentence, occupation"):
        scored_models(tmp_path / "scores.csv")
