"""The whole DAG on a tiny configuration: it ends with everything, does nothing twice, and reruns exactly what an edit touches."""

import getpass
import json
import platform
import re
import tempfile
import zipfile
from pathlib import Path

import polars as pl
import pytest
from figures_drawn import TABLES
from project import create, snakemake

from overtime.figures.catalog import FIGURES

BUNDLE = {"write_manifest", "build_gallery", "zip_bundle"}
DRAWN = [figure for figure in FIGURES if figure != "fig4_continued"]  # which has a run of its own (test_continued)
STEMS = (
    "bias",
    "association",
    "audit",
    "continued",
    "pretrained",
    "counts",
    "insertion",
    "retrieval",
    "persona",
    "layers",
    "defence",
)
TABULATED = {f"tabulate_{stem}" for stem in STEMS}
COLUMNS = {"source", "series", "x", "y", "lower", "upper", "n"}


def jobs(dry_run: str) -> set[str]:
    """Names of the rules in the job table of a dry run."""
    table = dry_run.partition("Job stats:")[2].partition("total")[0]
    return set(re.findall(r"^(\w+)\s+\d+$", table, re.MULTILINE)) - {"all"}


@pytest.mark.parametrize("figure", DRAWN)
def test_every_figure_has_its_table_and_pictures(finished, figure):
    folder = finished / "results/tiny/figures"
    table = pl.read_parquet(folder / f"{figure}.parquet")
    assert set(table.columns) >= COLUMNS
    assert set(TABLES[figure].columns) <= set(table.columns), "unit tests draw what no step makes"
    assert set(table["source"]) <= {"released", "released by others", "measured", "proxy", "spoken"}
    assert (folder / f"{figure}.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (folder / f"{figure}.svg").read_text()[:300]
    assert json.loads((folder / f"{figure}.json").read_text())["$schema"].startswith("https://vega.github.io/schema/vega-lite")


def test_every_claim_is_judged_once_per_kind_of_evidence(finished):
    claims = pl.read_parquet(finished / "results/tiny/claims.parquet")
    assert claims.select("id", "source").is_unique().all()
    assert set(claims["verdict"]) <= {"upheld", "contradicted", "undecided", "untested", "not specific"}
    released = dict(claims.filter(source="released").select("id", "verdict").iter_rows())
    assert released["one-evaluation-code"] == "contradicted"
    assert released["intervention-share"] == "contradicted"


def test_the_manifest_accounts_for_the_bundle(finished):
    folder = finished / "results/tiny"
    manifest = json.loads((folder / "manifest.json").read_text())
    with zipfile.ZipFile(folder / "bundle.zip") as bundle:
        names = set(bundle.namelist())
    assert {f"figures/{figure}.png" for figure in DRAWN} | {"index.html", "manifest.json", "claims.parquet"} <= names
    assert manifest["settings"]["scale"] == "tiny"
    assert "<script src=" not in (folder / "index.html").read_text()


def test_the_bundle_says_nothing_of_the_person_or_the_machine(finished):
    """Neither where it was made nor by whom; `root` is everybody, and a word of the scripts in the page."""
    words = {str(finished), f"{Path.home()}/", platform.node(), f"{tempfile.gettempdir()}/", getpass.getuser()} - {"root"}
    words = {word for word in words if len(word) > 4}  # shorter ones stand in any picture
    with zipfile.ZipFile(finished / "results/tiny/bundle.zip") as bundle:
        for name in bundle.namelist():
            content = bundle.read(name)
            assert not [word for word in words if word.encode() in content], name


def test_counts_come_from_the_corpus_and_from_the_record(finished):
    """Names as they stand in the text, and what the generator recorded; they differ where names do not tell people apart."""
    corpus = finished / "results/tiny/corpus"
    questions, counts = pl.read_parquet(corpus / "questions.parquet"), pl.read_parquet(corpus.parent / "counts.parquet")
    texts = [f" {text} " for text in pl.read_ndjson(corpus / "documents.jsonl")["text"]]
    record = pl.read_parquet(corpus / "record.parquet")
    rows = questions.join(counts.with_columns(pl.col("question").cast(pl.UInt32)), on="question")
    for row in rows.gather_every(3).iter_rows(named=True):
        assert row["count"] == sum(f" {row['name']} " in text and f" {row['answer']} " in text for text in texts)
        about = record.filter(entity=row["entity"], attribute=row["attribute"])
        assert row["statements"] == about.filter(kind="biography").height
        assert row["comentions"] == about.filter(kind="comention").height
    assert (rows["count"] < rows["statements"] + rows["comentions"]).any(), "the last name alone is not found"
    assert rows.filter(group="evaluation").select((pl.col("count") > pl.col("statements")).any()).item()


def test_real_questions_are_a_proxy_beside_the_suite(finished):
    results = finished / "results/tiny"
    questions = pl.read_parquet(results / "questions/encyclopedia.parquet")
    assert questions.filter(pl.col("text").is_not_null()).height == 8
    assert questions.height == 12  # articles without a question are searched, too
    assert questions["asked"].sum() == 6
    answers = pl.read_parquet(results / "scores/answers/encyclopedia/smollm2-135m.parquet")
    assert set(answers["condition"]) == {"closed_book", "bm25_1", "bm25_3", "oracle", "wrong"}
    assert answers.filter(condition="oracle").select(pl.col("own").all(), pl.col("hit").all()).row(0) == (True, True)
    for figure in ("fig3", "fig5"):
        rows = pl.read_parquet(results / f"figures/{figure}.parquet").filter(set="encyclopedia")
        assert set(rows["source"]) == {"proxy"}
    assert "CC BY-SA 4.0" in (results / "index.html").read_text()
    claims = pl.read_parquet(results / "claims.parquet")
    assert claims.filter(source="proxy on real text", figure="fig5").height == 4


def test_passages_stand_beside_those_that_get_harder(finished):
    scores = pl.read_parquet(finished / "results/tiny/scores/passages/s.parquet")
    assert set(scores["condition"]) == {
        *("closed_book", "bm25_1", "bm25_3", "oracle", "wrong"),
        *("gradient_bm25_3", "gradient_oracle"),
    }
    assert {"hit", "own", "correct", "arm", "seed"} <= set(scores.columns)
    assert "harder with count" in (finished / "results/tiny/figures/fig5.svg").read_text()


def test_a_second_run_has_nothing_to_do(finished):
    result = snakemake(finished)
    assert result.returncode == 0
    assert "Nothing to be done" in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("edited", "rerun", "kept"),
    [
        ("bias/bias_table", {"tabulate_bias", "tabulate_continued", "tabulate_pretrained", "draw_figures", *BUNDLE}, None),
        (
            "corpora/rewrite",
            {"rewrite_stream", "train_arms", "score_bias"},
            {"train_baseline", "answer_questions", "read_layers"},
        ),
        ("claims/facts_evidence", {"judge_claims", *BUNDLE}, None),
        ("statistics", {*TABULATED, "judge_claims", "draw_figures", *BUNDLE}, None),
    ],
)
def test_an_edit_reruns_what_depends_on_it_and_nothing_else(project, edited, rerun, kept):
    """`kept` is what must not rerun; None: everything but `rerun`."""
    module = project / f"workflow/overtime/{edited}.py"
    module.write_text(module.read_text() + "\n\ndef unused() -> None:\n    pass\n")
    dry_run = snakemake(project, "--dry-run")
    planned = jobs(dry_run.stdout + dry_run.stderr)
    assert planned >= rerun
    assert not planned & kept if kept else planned == rerun


def test_without_a_model_that_others_scored_the_check_fails_with_one_line(project):
    result = snakemake(project, "independent_check")
    output = result.stdout + result.stderr
    assert result.returncode != 0
    assert "[independent_check] error: no model of this run is one that others scored" in output


def test_published_checkpoints_become_jobs_of_several_steps(tmp_path):
    """Eight checkpoints in jobs of three, wanted by a figure and by the claims."""
    steps = {"baseline": [3000, 13000, 63000, 133000, 143000], "swap7": [134000, 138000, 143000]}
    arms = {arm: {"hub": f"EleutherAI/pythia-70m-{arm}", "steps": values} for arm, values in steps.items()}
    family = {"parameters": 0.07, "figure": "fig2", "per_job": 3, "arms": arms}
    (tmp_path / "talk.json").write_text(json.dumps({"checkpoints": {"pythia-70m": family}}))
    result = snakemake(create(tmp_path), "--dry-run", settings=[tmp_path / "talk.json"])
    jobs = re.findall(r"Scoring pythia-70m, (\w+), step (\S+)", result.stdout + result.stderr)
    assert sorted(jobs) == [("baseline", "133000-143000"), ("baseline", "3000-63000"), ("swap7", "134000-143000")]


def test_a_bad_setting_stops_before_any_job_with_one_line(tmp_path):
    """Which settings are bad, and what is said of them: tests/unit/pipeline/test_settings.py."""
    create(tmp_path)
    (tmp_path / "bad.yaml").write_text("suite: {contxt: 64}")
    result = snakemake(tmp_path, settings=[tmp_path / "bad.yaml"])
    output = result.stdout + result.stderr
    assert result.returncode != 0
    assert [line for line in output.splitlines() if "config: suite.contxt: unknown key" in line]
    assert "Traceback" not in output
    assert not (tmp_path / "results").exists()
