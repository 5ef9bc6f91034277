"""A family of continued runs through the DAG: scored, deleted, drawn and judged; a corpus that is too short stops it in time."""

import json

import polars as pl
from project import TINY, create, snakemake

from overtime.files import read_table

RUNS = ("further.original.0", "further.two-way.0")


def test_checkpoints_are_scored_and_deleted_and_their_log_is_kept(finished):
    results = finished / "results/tiny"
    assert not list(results.glob("continued/*"))
    assert not list(results.glob("streams/continued/*.tokens"))
    for run in RUNS:
        log = read_table(results / f"scores/log/continued/{run}.parquet")
        assert log["tokens"].to_list() == [96, 192]
        scores = read_table(results / f"scores/pronouns_english/continued/{run}.parquet")
        assert scores.group_by("step").len().sort("step").rows() == [(1, 96), (2, 96)]
        assert read_table(results / f"scores/crows_pairs/continued/{run}.parquet").is_empty()  # no network here
    assert set(read_table(results / "scores/pronouns_english/starts/further.parquet")["step"]) == {0}


def test_texts_of_a_stretch_are_the_same_documents(finished):
    results = finished / "results/tiny"
    files = finished / "gendered.jsonl", results / "rewritten/gendered/two-way/gendered.jsonl"
    original, two_way = ([json.loads(line)["text"] for line in file.read_text().splitlines()] for file in files)
    changed = [old != new for old, new in zip(original, two_way, strict=True)]
    assert all(sum(changed[place : place + 2]) == 1 for place in range(0, len(changed), 2))
    stretches = read_table(results / "streams/continued/further.parquet")
    assert stretches.select("stretch", "first").rows() == [(0, 0)]


def test_the_figure_begins_at_the_start_and_claims_say_what_they_lack(finished):
    table = pl.read_parquet(finished / "results/tiny/figures/fig1_continued.parquet")
    assert set(table["metric"]) == {"pronouns"}
    assert table.filter(kind="curve", x=0)["y"].n_unique() == 1
    claims = pl.read_parquet(finished / "results/tiny/claims.parquet").filter(source="continued")
    assert set(claims["verdict"]) == {"untested"}
    sentences = dict(claims.select("id", "sentence").iter_rows())
    assert "no continued run rewrites masculine as feminine words in every document" in sentences["swap-takes"]
    assert "the continued winobias table is empty" in sentences["swap-lowers-winobias-margin"]


def test_a_corpus_that_is_too_short_is_one_line_before_any_training(tmp_path):
    folder = create(tmp_path / "project")
    (tmp_path / "long.json").write_text(json.dumps({"interventions": {"further": {"stretches": 9, "tokens": 960}}}))
    result = snakemake(folder, "continued", settings=[TINY, tmp_path / "long.json"])
    output = result.stdout + result.stderr
    assert result.returncode != 0
    message = "config: interventions.further.stretches: the corpus has "
    assert [line for line in output.splitlines() if message in line and "to spare, not 9; ask for fewer" in line], output[-2000:]
    assert not list(folder.glob("results/tiny/logs/continue_*"))
