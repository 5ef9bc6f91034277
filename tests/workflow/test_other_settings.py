"""Settings that no committed file has: what a run goes without is left out with a reason, what cannot work is refused."""

import json
import re
from pathlib import Path

import polars as pl
import pytest
from project import TINY, create, snakemake

OTHER = Path(__file__).with_name("other.yaml")
CASES = Path(__file__).parents[1] / "cases"


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    """The finished run of other.yaml."""
    folder = create(tmp_path_factory.mktemp("other"))
    result = snakemake(folder, settings=[TINY, OTHER])
    assert result.returncode == 0, result.stderr[-4000:]
    return folder / "results/other"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A project in which nothing has run."""
    return create(tmp_path_factory.mktemp("refused"))


def test_figures_follow_the_studies_and_the_page_says_what_is_left_out(results):
    drawn = {path.stem for path in (results / "figures").glob("*.svg")}
    assert drawn == {"fig1", "fig1_audit", "fig2", "fig2_association", "fig3", "fig5", "fig6", "fig7"}
    page = (results / "index.html").read_text()
    assert "<li>fig4: no model is trained with inserted documents" in page
    assert "<li>fig1_pretrained: no pretrained model takes part in the study bias" in page
    assert "<li>fig4_continued: no model that is trained further has documents inserted (setting continued: control)" in page
    assert "<li>fig1_continued: no model that is trained further is scored (settings interventions, continued)" in page
    assert "<li>fig7_detect: no pretrained model takes part in the study layers" in page
    links = set(re.findall(r'href="#(fig\w+)"', page))
    assert links <= drawn, "no link leads nowhere"
    assert set(pl.read_parquet(results / "figures/fig7.parquet")["source"]) == {"released"}


def test_the_manifest_says_how_precision_was_chosen(results):
    precision = json.loads((results / "manifest.json").read_text())["precision"]
    assert precision["device"] == "cpu"
    for row in precision["timings"]:
        assert row["chosen"] == max(("float32", "bfloat16"), key=row.__getitem__)
        assert row["float32"] > 0


def test_an_arm_is_called_what_it_does(results):
    arms = pl.read_parquet(results / "figures/fig1.parquet").filter(kind="suite").drop_nulls("arm")
    assert set(arms["label"]) == {"baseline", "feminine→masculine, last 14%"}
    assert "feminine→masculine, last 14%" in (results / "figures/fig1.svg").read_text()


def test_passages_are_those_that_were_asked_for(results):
    conditions = set(pl.read_parquet(results / "figures/fig5.parquet")["condition"])
    assert conditions == {*("closed_book", "bm25_1", "bm25_5", "oracle", "wrong"), *("gradient_bm25_5", "gradient_oracle")}
    assert "BM25, top 5 passages" in (results / "figures/fig5.svg").read_text()


def test_claims_without_evidence_are_untested_and_say_why(results):
    claims = pl.read_parquet(results / "claims.parquet").filter(source="measured")
    sentences = dict(claims.filter(verdict="untested").select("id", "sentence").iter_rows())
    for name in ("intervention-leaves-bias", "swap-takes", "swap-lowers-both-directions"):
        assert "no arm rewrites masculine as feminine words in every document" in sentences[name]
    assert "no arm swaps both ways" in sentences["augmentation-lowers-both-directions"]
    assert "no model was trained with documents inserted late or spread" in sentences["insertion-helps"]
    assert "no pretrained model takes part in the study layers" in sentences["attack-zeroes-final"]
    assert "needs 3 sizes with two runs each; there are tiny 1" in sentences["larger-is-more-biased"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("retrieval: {top: [1, 9]}", "config: retrieval.top: 9 passages and a question have up to 211 tokens"),
        ("insertion: {people: 400}", "config: insertion.people: 400 for each of 2 doses, but only"),
        ("prompts: {tasks: [sentiments]}", "config: prompts.tasks: "),
        (
            "prompts: {prompts: 7}",
            "config: prompts: task sentiment: 7 prompts cannot be balanced; use a multiple of its 2 labels",
        ),
        ("prompts: {prompts: 4}", "config: prompts: task questions: 4 prompts share one layout; use 8 or more"),
        (
            "questions: {sets: {xquad: {dataset: xquads}}}",
            "config: questions.sets.xquad.dataset: no dataset xquads in the ledger",
        ),
        ("corpora: {own: {shards: config/config.yaml}}", "config: corpora.own.shards: config/config.yaml is no shard"),
        (
            f"corpora: {{own: {{shards: {CASES}/questions/nq.jsonl, insert: {{late: {{share: 0.5, templates: ['{{who}}'],"
            f" facts: {CASES}/insertion/facts.csv, asked: {CASES}/insertion/two_groups.csv}}}}}}}}",
            f"config: corpora.own.insert.late.asked: {CASES}/insertion/two_groups.csv: inserted of Ada: row 1 says 30, row 3 0",
        ),
    ],
)
def test_what_cannot_work_is_refused_in_a_dry_run(folder, tmp_path, text, message):
    (tmp_path / "bad.yaml").write_text(text)
    result = snakemake(folder, "--dry-run", settings=[TINY, tmp_path / "bad.yaml"])
    output = result.stdout + result.stderr
    assert result.returncode != 0
    assert [line for line in output.splitlines() if message in line], output[-2000:]
    assert "Traceback" not in output
    assert not (folder / "results").exists()
