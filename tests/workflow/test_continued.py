"""A family of continued runs through the DAG: scored, deleted, drawn and judged; a corpus that is too short stops it in time."""

import json
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from figures_drawn import TABLES
from project import TINY, create, snakemake
from transformers import AutoTokenizer

from overtime.figures.draw import draw
from overtime.files import read_table

RUNS = ("further.original.0", "further.two-way.0")


def test_checkpoints_are_scored_and_deleted_and_their_log_is_kept(finished):
    results = finished / "results/tiny"
    assert not list(results.glob("continued/further*"))
    assert not list(results.glob("streams/continued/*.tokens"))
    for run in RUNS:
        log = read_table(results / f"scores/log/continued/{run}.parquet")
        assert log["tokens"].to_list() == [96, 192]
        scores = read_table(results / f"scores/pronouns_english/continued/{run}.parquet")
        assert scores.group_by("step").len().sort("step").rows() == [(1, 96), (2, 96)]
        assert read_table(results / f"scores/crows_pairs/continued/{run}.parquet").is_empty()  # no network here
    assert set(read_table(results / "scores/pronouns_english/starts/further.parquet")["step"]) == {0}


def test_exactly_one_of_two_neighbouring_documents_is_rewritten(finished):
    results = finished / "results/tiny"
    files = finished / "gendered.jsonl", results / "rewritten/gendered/two-way/gendered.jsonl"
    original, two_way = ([json.loads(line)["text"] for line in file.read_text().splitlines()] for file in files)
    changed = [old != new for old, new in zip(original, two_way, strict=True)]
    assert all(sum(changed[place : place + 2]) == 1 for place in range(0, len(changed), 2))


def test_the_figure_begins_at_the_start_and_claims_say_what_they_lack(finished):
    table = pl.read_parquet(finished / "results/tiny/figures/fig1_continued.parquet")
    assert set(table["metric"]) == {"pronouns"}
    assert table.filter(kind="curve", x=0)["y"].n_unique() == 1
    claims = pl.read_parquet(finished / "results/tiny/claims.parquet").filter(source="continued")
    assert set(claims["verdict"]) == {"untested"}
    sentences = dict(claims.select("id", "sentence").iter_rows())
    assert "no continued run rewrites masculine as feminine words in every document" in sentences["swap-takes"]
    assert "the continued winobias table is empty" in sentences["swap-lowers-winobias-margin"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A project in which nothing has run."""
    return create(tmp_path_factory.mktemp("continued"))


def run(folder: Path, *arguments: str, **changes: int) -> str:
    (folder / "more.json").write_text(json.dumps({"interventions": {"further": changes}}))
    result = snakemake(folder, *arguments, settings=[TINY, folder / "more.json"])
    return f"exit {result.returncode}\n{result.stdout}{result.stderr}"


def test_a_corpus_that_is_too_short_is_one_line_before_any_training(folder):
    output = run(folder, "continued", stretches=9, tokens=960)
    assert "exit 1" in output
    message = "config: interventions.further.stretches: the corpus has "
    assert [line for line in output.splitlines() if message in line and "to spare, not 9; ask for fewer" in line], output[-2000:]
    assert not list(folder.glob("results/tiny/logs/continue_*"))


def test_texts_of_a_stretch_are_the_same_documents_in_the_same_order(folder):
    streams = folder / "results/tiny/streams/continued"
    names = [f"further.{text}.{stretch}" for text in ("original", "two-way") for stretch in (0, 1)]
    paths = [f"results/tiny/streams/continued/{name}.tokens" for name in names]
    output = run(folder, "--notemp", *paths, stretches=2)
    assert "exit 0" in output, output[-3000:]
    tokenizer = AutoTokenizer.from_pretrained(folder / "results/tiny/pretrained/smollm2-135m")
    packed = [tokenizer.decode(np.fromfile(streams / f"{name}.tokens", "<u2", 192)).split(tokenizer.eos_token) for name in names]
    documents = [[re.search(r"number (\d+)", text) for text in texts[:-1]] for texts in packed]
    numbers = [[int(found[1]) for found in texts] for texts in documents]
    assert numbers[0] == numbers[2][: len(numbers[0])] or numbers[2] == numbers[0][: len(numbers[2])]
    assert numbers[1] == numbers[3][: len(numbers[1])] or numbers[3] == numbers[1][: len(numbers[3])]
    [(_, after)] = read_table(streams / "further.parquet").filter(stretch=0).select("first", "after").rows()
    assert numbers[0] == list(range(len(numbers[0])))
    assert numbers[1] == list(range(after, after + len(numbers[1])))
    assert max(numbers[0]) < after


LACKING = {"set": "encyclopedia", "model": "smollm2-135m", "doses": [0, 2], "facts": 2, "elsewhere": ["own"]}
RUN = {"model": "smollm2-135m", "parameters": 0.135, "context": 32, "batch": 2, "learning_rate": 0.01, "precision": "float32"}


def test_facts_that_a_model_lacks_are_inserted_asked_and_drawn(project):
    facts = {"dataset": "encyclopedia", "documents": [0, 9], "insert": {"lacking": {"share": 1.0, "lacking": LACKING}}}
    without = RUN | {"corpus": "facts", "keep": False, "held_out": "held-out"}
    settings = {
        "corpora": {"facts": facts, "held-out": {"dataset": "encyclopedia", "documents": [9, 12]}},
        "continued": {"without": without, "with": without | {"text": "lacking", "control": "without"}},
    }
    (project / "facts.json").write_text(json.dumps(settings))
    results = project / "results/tiny"
    result = snakemake(project, "gain", "results/tiny/claims.parquet", settings=[TINY, project / "facts.json"])
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-2000:]
    asked = read_table(results / "corpora/facts/lacking/lacking/asked.parquet")
    assert asked["inserted"].to_list() == [0, 0, 2, 2] + [None] * 6
    inserted = [json.loads(line) for line in (results / "inserted/facts/lacking/encyclopedia.jsonl").read_text().splitlines()]
    about = [document["text"] for document in inserted if "inserted" in document]
    assert len(inserted) == 9 + 4
    assert all(sum(entity in text for text in about) == 2 for entity in asked.filter(inserted=2)["entity"])
    table = read_table(results / "figures/fig4_continued.parquet")
    assert set(table.select("model", "group", "x").unique().rows()) == {
        ("smollm2-135m", group, x) for group, x in (("target", 0), ("target", 2), ("other", 0))
    }
    assert set(TABLES["fig4_continued"].columns) <= set(table.columns)
    assert [path.stem for path in draw({"fig4_continued": table}, project)] == ["fig4_continued"] * 3
    read = [read_table(results / f"scores/text/continued/{name}.parquet") for name in ("without", "with")]
    assert read[0]["length"].to_list() == read[1]["length"].to_list()
    assert read[0]["loss"].to_list() != read[1]["loss"].to_list()
    assert not list(results.glob("continued/[!.]*"))
    claims = read_table(results / "claims.parquet").filter(source="continued", figure="fig4_continued")
    assert claims["sentence"].str.contains("too few").all()
