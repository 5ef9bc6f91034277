"""What a finished mini run must show, loosely: the orderings that the recipe is known to give. Run after `make figures`.

A failure means that this run does not show the ordering; its figures say so too, and the world is not to be bent for it.
"""

import json
import zipfile
from pathlib import Path

import polars as pl
import pytest
from transformers import AutoTokenizer

from overtime.attacks.few_shot_prompts import load_task
from overtime.bias.sentence_sets import read_crows_pairs_sentences
from overtime.models import load as models
from overtime.models.label_tokens import label_tokens
from overtime.models.likelihood import score_pairs

RUN = Path(__file__).parents[2] / "results/mini"
FIGURES = [f"fig{i}" for i in range(1, 8)] + ["fig1_audit", "fig1_pretrained", "fig2_association", "fig7_detect", "fig7_defend"]


def figure(name: str) -> pl.DataFrame:
    """The rows of a figure's table that this run computed."""
    return pl.read_parquet(RUN / f"figures/{name}.parquet").filter(pl.col("source").is_in(["measured", "proxy"]))


def stereotype(name: str, model: str) -> pl.DataFrame:
    return figure(name).filter(model=model, arm="baseline", direction="all", metric="stereotype").sort("x")


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_there_in_every_form(name):
    for kind in ("parquet", "svg", "png", "json"):
        assert (RUN / f"figures/{name}.{kind}").stat().st_size > 1000


def test_gallery_claims_manifest_and_bundle_are_there():
    page = (RUN / "index.html").read_text()
    assert all(f'id="{name}"' in page for name in FIGURES)
    assert pl.read_parquet(RUN / "claims.parquet").height >= 16
    assert json.loads((RUN / "manifest.json").read_text())["settings"]["scale"] == "mini"
    with zipfile.ZipFile(RUN / "bundle.zip") as bundle:
        assert bundle.testzip() is None


@pytest.mark.parametrize(("name", "model"), [("fig1", "s"), ("fig2", "m")])
def test_the_stereotype_is_absent_early_and_present_at_the_end(name, model):
    curve = stereotype(name, model)
    assert abs(curve["y"][0] - 0.5) < 0.1
    assert curve["y"][-1] > 0.6


def test_the_middle_model_is_more_biased_than_the_smallest():
    assert stereotype("fig2", "m")["y"][-1] > stereotype("fig2", "xs")["y"][-1]


def test_the_one_way_swap_makes_models_prefer_the_feminine_sentence():
    swapped = figure("fig1").filter(model="s", arm="swap14", metric="stereotype").filter(pl.col("x") == pl.col("x").max())
    share = dict(swapped.select("direction", "y").iter_rows())
    assert share["feminine"] > 0.9
    assert share["masculine"] < 0.1


def test_accuracy_rises_with_count_and_size():
    table = figure("fig3")
    for model in ("s", "m"):
        curve = table.filter(model=model).sort("x")
        assert curve.select(pl.corr("x", "y", method="spearman")).item() > 0.5
    mean = {
        model: table.filter(model=model).select((pl.col("y") * pl.col("n")).sum() / pl.col("n").sum()).item()
        for model in ("s", "m")
    }
    assert mean["m"] > mean["s"]


@pytest.mark.parametrize("model", ["s", "m"])
def test_inserted_documents_raise_accuracy(model):
    after = figure("fig4").filter(model=model, placement="late", group="target", when="after")
    accuracy = dict(after.select("x", "y").iter_rows())
    assert accuracy[100] > accuracy[0]


@pytest.mark.parametrize("model", ["s", "m"])
def test_passages_help_rare_facts(model):
    rare = figure("fig5").filter(pl.col("model") == model, pl.col("bin_high") <= 7)
    mean = {c: g.select((pl.col("y") * pl.col("n")).sum() / pl.col("n").sum()).item() for (c,), g in rare.group_by("condition")}
    assert mean["oracle"] > mean["bm25_1"] > mean["closed_book"]


def test_the_precision_of_the_real_model_hardly_changes_its_preferences():
    """Every twentieth pair again in float32: where the run computed in bfloat16, few preferences may differ, and by little."""
    kept = pl.read_parquet(RUN / "scores/crows_pairs/smollm2-135m.parquet")
    if kept.is_empty():
        pytest.skip("CrowS-Pairs could not be had in this run")
    pairs = read_crows_pairs_sentences(RUN / "public/crows-pairs-revised/data/crows_pairs_revised.csv").gather_every(20)
    exact = score_pairs(*models.load(RUN / "pretrained/smollm2-135m", dtype="float32"), pairs).join(
        kept, on="pair", suffix="_kept"
    )
    now, before = (exact[f"ll_more{end}"] - exact[f"ll_less{end}"] for end in ("", "_kept"))
    assert ((now > 0) != (before > 0)).mean() <= 0.05
    assert (now - before).abs().mean() < 0.3


@pytest.mark.parametrize("task", ["sentiment", "topics", "questions"])
def test_labels_are_single_tokens_of_the_real_tokenizer(task):
    label_tokens(AutoTokenizer.from_pretrained(RUN / "pretrained/smollm2-135m"), load_task(task).labels)


def test_the_tuned_lens_is_closer_to_the_output_than_the_logit_lens_on_any_text():
    table = figure("fig7").filter(kind="divergence")
    kl = table.filter(pl.col("x") < pl.col("x").max()).pivot("lens", index=["text", "x"], values="y")
    assert (kl["tuned"] < 0.5 * kl["logit"]).all()


def test_every_attack_has_its_landmarks():
    marks = figure("fig7").filter(kind="landmark", lens="tuned", metric="plain")
    assert set(marks["condition"]) == {"false", "half", "random", "injection"}
    found = marks.drop_nulls("y")
    assert ((found["lower"] <= found["y"]) & (found["y"] <= found["upper"])).all()
    late = found.filter(condition="injection", landmark="critical")
    assert (late["y"] >= 15).all()


def test_the_pretrained_model_knows_common_facts_and_reads_passages():
    curve = figure("fig3").filter(set="own", model="smollm2-135m").sort("x")
    assert curve["trend_lower"][0] > 0.1
    own = figure("fig5").filter(set="own", model="smollm2-135m")
    mean = {c: g.select((pl.col("y") * pl.col("n")).sum() / pl.col("n").sum()).item() for (c,), g in own.group_by("condition")}
    assert mean["oracle"] > mean["closed_book"] + 0.2 > mean["wrong"] + 0.2
    assert own.filter(condition="bm25_1")["own"].min() > 0.7


def test_questions_that_were_read_and_right_are_asked_of_the_real_encyclopedia():
    """Its articles may change with a new version of the package; then some of them must be read again."""
    read = pl.read_csv(Path(__file__).parents[1] / "cases/questions/encyclopedia_read.csv").filter(right=1)
    made = pl.read_parquet(RUN / "questions/encyclopedia.parquet").drop_nulls("text")
    found = made.select("family", "text", made=pl.col("answers").list.first()).join(read, on=["family", "text"])
    assert found["made"].to_list() == found["answer"].to_list()
    assert found.height == read.height
    assert 1900 < made.height < 2200
    asked = made.filter("asked")["count"]
    assert [asked.is_between(low, high).sum() for low, high in ((0, 1), (2, 3), (4, 999))] == [120, 120, 120]
