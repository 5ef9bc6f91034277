"""Published models on the published tests: checkpoints fetched one after the other, and the figure rows from their scores."""

import json
import shutil
import sys
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tiny_models import build_neox
from tokenizers import Tokenizer, decoders, pre_tokenizers, trainers
from tokenizers.models import BPE
from transformers import PreTrainedTokenizerFast

from overtime import InputError
from overtime.bias import score_published as checkpoints
from overtime.bias.bias_table import checkpoint_curves
from overtime.bias.pretrained_table import pretrained_table
from overtime.bias.pronoun_contexts import pronoun_contexts, pronoun_log_odds
from overtime.bias.score_continued import score_run, score_start
from overtime.bias.score_published import prepare, score_checkpoints
from overtime.bias.sentence_sets import read_suites
from overtime.files import sha256
from overtime.models import load as models
from overtime.models.answers import token_log_probs
from overtime.models.likelihood import score_pairs
from overtime.models.weights import save_weights

SENTENCES = ["The nurse said that she was late.", "The nurse said that he was late.", "He is old.", "He is young."]
CROWS_PAIRS = """sent_more\tsent_less\tstereo_antistereo\tbias_type
The nurse said that she was late.\tThe nurse said that he was late.\tstereo\tgender
Mark is old.\tAnn is old.\tstereo\tgender
He is old.\tHe is young.\tantistereo\tage
"""


@pytest.fixture
def suites(tmp_path) -> dict[str, pl.DataFrame]:
    """Two tests in the layout of the fetched datasets: three pairs, and one WinoBias item of each type and side."""
    crows, wino = tmp_path / "crows/data", tmp_path / "wino/WinoBias/wino/data"
    for folder in (crows, wino):
        folder.mkdir(parents=True)
    (crows / "crows_pairs_revised.csv").write_text(CROWS_PAIRS)
    (wino / "male_occupations.txt").write_text("farmer\n")
    (wino / "female_occupations.txt").write_text("nurse\n")
    for kind in (1, 2):
        for side, pronoun in (("pro", "she"), ("anti", "he")):
            line = f"1 The farmer thanked [the nurse] because [{pronoun}] was late.\n"
            (wino / f"{side}_stereotyped_type{kind}.txt.test").write_text(line)
    return read_suites(tmp_path / "crows", tmp_path / "wino")


@pytest.fixture
def hub(tmp_path, monkeypatch) -> list[int]:
    """Three checkpoints of a tiny GPT-NeoX, copied instead of downloaded; returns how many lay on disk at each download."""
    core = Tokenizer(BPE())
    core.pre_tokenizer, core.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    core.train_from_iterator(
        SENTENCES, trainers.BpeTrainer(vocab_size=300, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet)
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, bos_token="<|endoftext|>", eos_token="<|endoftext|>")
    for step in (0, 1000, 143000):
        folder = tmp_path / f"hub/step{step}"
        model = build_neox(32, 2, 2, vocabulary=300, context=128, seed=step)
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    there = []

    def download(source: str, revision: str, folder: Path) -> Path:
        shutil.copytree(tmp_path / source / revision, folder)
        there.append(len(list(folder.parent.iterdir())))
        return folder

    monkeypatch.setattr(sys.modules[checkpoints.sweep.__module__], "download", download)
    return there


def test_every_checkpoint_is_scored_as_if_loaded_alone_and_deleted(suites, hub, tmp_path):
    folder = tmp_path / "weights"
    folder.mkdir()
    tables = score_checkpoints("hub", [0, 1000, 143000], folder, suites, {"dtype": "float32", "device": "cpu"})
    for step in (0, 1000, 143000):
        model, tokenizer = models.load(tmp_path / f"hub/step{step}")
        for name in ("crows_pairs", "winobias"):
            alone, swept = score_pairs(model, tokenizer, suites[name]), tables[name].filter(step=step)
            assert swept["pair"].to_list() == alone["pair"].to_list()
            np.testing.assert_allclose(swept["ll_more"] - swept["ll_less"], alone["ll_more"] - alone["ll_less"], atol=1e-4)
            assert np.allclose(swept["ll_more"], alone["ll_more"], atol=1e-4) == (name == "crows_pairs")  # the answer alone
        odds = pronoun_log_odds(pronoun_contexts(), partial(token_log_probs, model, tokenizer))
        assert tables["pronouns_english"].filter(step=step).drop("step").equals(odds)
    assert tables["crows_pairs"].columns == ["step", "pair", "bias_type", "stereo_antistereo", "direction", "ll_more", "ll_less"]
    people = ["masculine", "feminine"]
    assert tables["winobias"].columns == ["step", "pair", "type", "side", "item", *people, "ll_more", "ll_less"]
    assert tables["winobias"].select(people).unique().rows() == [("farmer", "nurse")]
    assert max(hub) <= 2
    assert not list(folder.iterdir())


@pytest.fixture
def run(hub, tmp_path) -> Path:
    """A continued run in its own layout: the three checkpoints as steps 1 to 3."""
    folder = tmp_path / "run"
    shutil.copytree(tmp_path / "hub/step0", folder, ignore=shutil.ignore_patterns("model.safetensors"))
    log = []
    for step, source in enumerate((0, 1000, 143000), 1):
        model, _ = models.load(tmp_path / f"hub/step{source}")
        save_weights(model, folder / f"step{step}.safetensors")
        entry = {"step": step, "percent": step / 0.03, "tokens": 64 * step, "loss": 1.0}
        log.append(json.dumps(entry | {"sha256": sha256(folder / f"step{step}.safetensors")}))
    (folder / "log.jsonl").write_text("\n".join(log))
    return folder


def test_a_continued_run_is_scored_at_every_checkpoint_and_on_winobias_at_the_last(suites, run, tmp_path):
    tables = score_run(run, tmp_path / "crows", tmp_path / "wino", "cpu")
    assert tables["crows_pairs"].select("step", "tokens", "pair").rows() == [
        (step, 64 * step, pair) for step in (1, 2, 3) for pair in (0, 1)
    ], "the gender pairs alone"
    assert set(tables["winobias"]["step"]) == {3}
    assert tables["pronouns_english"].group_by("step").len().sort("step").rows() == [(1, 96), (2, 96), (3, 96)]
    for step, source in ((2, 1000), (3, 143000)):
        alone = prepare(*models.load(tmp_path / f"hub/step{source}"), suites)()
        for name in ("crows_pairs", "winobias"):
            own = tables[name].filter(step=step)
            kept = alone[name].filter(pl.col("pair").is_in(own["pair"].implode()))
            np.testing.assert_allclose(own["ll_more"], kept["ll_more"] if own.height else [], atol=1e-4)


def test_what_a_run_begins_with_is_step_0_and_a_test_that_lacks_is_empty(suites, hub, tmp_path):
    tables = score_start(tmp_path / "hub/step1000", None, tmp_path / "nothing", tmp_path / "wino", "cpu")
    assert tables["crows_pairs"].is_empty()
    assert tables["winobias"].select("step", "percent", "tokens").unique().rows() == [(0, 0.0, 0)]
    alone = prepare(*models.load(tmp_path / "hub/step1000"), suites)()
    assert tables["pronouns_english"]["log_odds"].to_list() == pytest.approx(alone["pronouns_english"]["log_odds"].to_list())


def test_a_checkpoint_of_another_shape_stops_with_one_line_and_leaves_nothing(suites, hub, tmp_path):
    build_neox(48, 2, 2, vocabulary=300, context=128, seed=0).save_pretrained(tmp_path / "hub/step1000")
    folder = tmp_path / "weights"
    folder.mkdir()
    with pytest.raises(InputError, match=r"step1000.*tensor .* in this gpt_neox of 2 layers of width 32"):
        score_checkpoints("hub", [0, 1000], folder, suites, {"dtype": "float32", "device": "cpu"})
    assert not list(folder.iterdir())


def test_tests_that_could_not_be_had(hub, tmp_path):
    suites = read_suites(tmp_path / "nothing", tmp_path / "nothing")
    with pytest.raises(InputError, match="hub: no crows_pairs and no winobias to score"):
        score_checkpoints("hub", [0], tmp_path, suites, {"dtype": "float32", "device": "cpu"})
    scored = prepare(*models.load(tmp_path / "hub/step0"), suites)()
    assert [table.height for table in scored.values()] == [0, 0, 96]
    table = pretrained_table({"m": scored})
    assert set(table["test"]) == {"pronouns_english"}
    assert table.filter(group="all")["y"][0] == pytest.approx(scored["pronouns_english"]["log_odds"].mean())


def test_a_pretrained_model_by_category_side_and_contrast(suites, hub, tmp_path):
    scored = prepare(*models.load(tmp_path / "hub/step0"), suites)()
    table = pretrained_table({"m": scored})
    wins = (scored["crows_pairs"]["ll_more"] > scored["crows_pairs"]["ll_less"]).to_list()
    shares = table.filter(pl.col("metric") == "stereotype", pl.col("series") != "always feminine")
    got = {(group, side): (y, n) for group, side, y, n in shares.select("group", "side", "y", "n").iter_rows()}
    assert got["all", "all"] == (pytest.approx(np.mean(wins)), 3)
    assert got["gender", "feminine"] == (wins[0], 1)
    assert got["gender", "unclassified"] == (wins[1], 1)
    assert got["age", "all"] == (wins[2], 1)
    assert table.filter(series="always feminine", side="all")["n"].to_list() == [1]
    net = table.filter(test="winobias", metric="difference", group="both")
    right = scored["winobias"].with_columns(right=pl.col("ll_more") > pl.col("ll_less")).group_by("side").agg(pl.mean("right"))
    accuracy = dict(right.iter_rows())
    assert net["y"][0] == pytest.approx(accuracy["pro"] - accuracy["anti"])


def test_curves_of_checkpoints_use_the_gender_pairs_and_percent_of_the_declared_total():
    pairs = pl.DataFrame({"pair": [0, 1, 2], "bias_type": ["gender", "gender", "age"], "direction": ["feminine", None, None]})
    place = pl.DataFrame({"model": "pythia-70m", "arm": ["baseline"] * 2, "seed": "0", "step": [3000, 6000]})
    scores = place.join(pairs, how="cross").with_columns(ll_less=0.0, ll_more=pl.Series([1.0, -1, 1, 1, 1, -1]))
    odds = place.join(pl.DataFrame({"context": [0, 1], "contrast": "she/he", "log_odds": [1.0, 2.0]}), how="cross")
    curves = checkpoint_curves(scores, odds, {"pythia-70m": 6000, "other": 9})
    assert set(curves["kind"]) == {"published"}
    rows = curves.filter(pl.col("series") == "pythia-70m baseline").select("direction", "metric", "x", "y", "n", "seeds").rows()
    assert rows == [
        ("all", "stereotype", 50.0, 0.5, 2, 1),
        ("all", "stereotype", 100.0, 1.0, 2, 1),
        ("feminine", "stereotype", 50.0, 1.0, 1, 1),
        ("feminine", "stereotype", 100.0, 1.0, 1, 1),
        ("all", "pronouns", 50.0, 1.5, 2, 1),
        ("all", "pronouns", 100.0, 1.5, 2, 1),
    ]
    assert curves.filter(series="always feminine", direction="all")["n"].to_list() == [1]
