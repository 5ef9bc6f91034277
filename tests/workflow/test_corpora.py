"""Any corpus through the DAG: shard by shard, going on after a broken shard, and a checkpoint trained further on the result."""

import json
import re
from pathlib import Path

import polars as pl
import pytest
from project import create, snakemake

from overtime.corpora.documents import read_documents, write_lines
from overtime.corpora.entity_map import EntityMap
from overtime.corpora.rewrite import rewrite
from overtime.models.neox import Neox, NeoxConfig
from overtime.models.vocabulary import save_tokenizer
from overtime.models.weights import save_weights
from overtime.training.runs import read_log

SETTINGS = """
scale: own
corpora:
  own:
    shards: data/*/*.json*
    rewrite: [feminize]
    questions: questions.jsonl
    names: names.csv
    insert:
      late: {facts: facts.csv, templates: ["{who} is from {town}", "{town} is home to {who}"], share: 0.2, asked: asked.csv}
continued:
  control: &run {model: start, parameters: 0.001, corpus: own, tokens: 1200, context: 16, batch: 4, learning_rate: 0.001}
  late: {<<: *run, text: late, tokens: null, processes: 2, control: control}
"""
SHARDS = ["a/0.json.gz", "b/0.json.gz", "b/2.jsonl.zst"]
TEXTS = [f"Ada lost his key in {town}" for town in ("Ulm", "Ems", "Bonn")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The project beside a corpus of three shards, one of them cut off, and a tiny model in a folder."""
    folder = create(tmp_path_factory.mktemp("own"))
    for number, shard in enumerate(SHARDS):
        documents = [{"text": text, "shard": number} for text in TEXTS * 40]
        write_lines((json.dumps(document).encode() for document in documents), folder / "data" / shard)
    whole = (folder / "data" / SHARDS[2]).read_bytes()
    (folder / "whole.zst").write_bytes(whole)
    (folder / "data" / SHARDS[2]).write_bytes(whole[:-20])
    (folder / "questions.jsonl").write_text(json.dumps({"q_entities": [{"URI": "Q1"}], "a_entities": [{"URI": "Q2"}]}) + "\n")
    (folder / "names.csv").write_text("entity,name\nQ1,Ada\nQ2,Ulm\nQ2,Bonn\n")
    (folder / "facts.csv").write_text("who,town,count\nAda,Ems,7\nAda,Ulm,0\n")
    (folder / "asked.csv").write_text(
        "entity,text,answer,inserted\nAda,Ada is from,Ems|Bonn,7\nUlm,Ulm is home to,Ada,0\nEms,Ada lost,his,\n"
    )
    (folder / "own.yaml").write_text(SETTINGS)
    save_tokenizer([*TEXTS, "her is from Ems home to"], folder / "start")
    model = Neox(NeoxConfig(32, 16, 1, 2, 16))
    model.config.save(folder / "start")
    save_weights(model, folder / "start/model.safetensors")
    return folder


def run(folder: Path, *targets: str) -> str:
    result = snakemake(folder, *targets, settings=[folder / "own.yaml"])
    return f"exit {result.returncode}\n{result.stdout}{result.stderr}"


def rules_run(output: str) -> list[str]:
    return re.findall(r"Finished jobid: \d+ \(Rule: (\w+)\)", output)


@pytest.fixture(scope="module")
def broken(folder) -> tuple[str, list[str]]:
    """What a run with the broken shard says, and the rewritten shards that it leaves."""
    output, rewritten = run(folder, "corpora"), folder / "results/own/rewritten/own/feminize"
    return output, sorted(str(path.relative_to(rewritten)) for path in rewritten.glob("*/*.json*"))


@pytest.fixture(scope="module")
def repaired(folder, broken) -> str:
    """What the next run says, once the shard is whole."""
    (folder / "data" / SHARDS[2]).write_bytes((folder / "whole.zst").read_bytes())
    output = run(folder, "corpora")
    assert "exit 0" in output, output[-3000:]
    return output


@pytest.fixture(scope="module")
def results(folder, repaired) -> Path:
    """Results of the repaired corpus and of all that is made of it."""
    output = run(folder, "continued", "gain")
    assert "exit 0" in output, output[-3000:]
    return folder / "results/own"


def test_a_broken_shard_stops_nothing_but_itself(broken):
    output, rewritten = broken
    assert "exit 1" in output
    errors = {line for line in output.splitlines() if "truncated or corrupt .zst stream" in line and line.startswith("[")}
    assert all(re.search(r"2\.jsonl\.zst, line \d+: ", line) for line in errors)
    assert {line.split()[0].strip("[") for line in errors} == {"read_shard", "rewrite_shard", "count_shard"}
    assert rewritten == SHARDS[:2]


def test_a_corpus_goes_through_every_task_and_on_after_a_broken_shard(repaired):
    assert sorted(rules_run(repaired)) == sorted(
        ["read_shard", "rewrite_shard", "count_shard", "merge_counts", "count_questions", "plan_insertion", "report_corpus"]
        + ["insert_shard"] * 3
        + ["corpora"]
    )


def test_what_came_out_is_right(results):
    for number, shard in enumerate(SHARDS):
        rewritten = list(read_documents(results / "rewritten/own/feminize" / shard))
        assert rewritten == [{"text": rewrite(text), "shard": number} for text in TEXTS * 40]
    entities = EntityMap.from_parquet(results / "corpora/own/entities.parquet")
    assert entities.size == 360
    assert entities.documents("Q2").tolist() == [number for number in range(360) if number % 3 != 1]
    counts = pl.read_parquet(results / "corpora/own/relevant_documents.parquet")
    assert counts["count"].to_list() == [240]
    inserted = [list(read_documents(results / "inserted/own/late" / shard)) for shard in SHARDS]
    assert [sum("inserted" in document for document in shard) for shard in inserted] == [0, 0, 7]
    assert not any("inserted" in document for document in inserted[2][:48])  # the last fifth of 360 begins at document 288
    assert [document["text"] for shard in inserted for document in shard if "inserted" not in document] == TEXTS * 120
    report = pl.read_parquet(results / "corpora/own/report.parquet")
    assert dict(report.select("task", "documents").iter_rows()) == {
        "rewrite: feminize": 360,
        "count": 360,
        "read": 360,
        "insert: late": 360,
    }
    assert "Estimated" in (results / "corpora/own/report.md").read_text()


def test_checkpoints_are_trained_further_by_one_process_and_by_two(results):
    control, late = (read_log(results / "continued" / name) for name in ("control", "late"))
    assert control["tokens"].to_list() == [1200 // 64 * 64]
    tokens = 360 * 7 + 4 * 5 + 3 * 6  # words and one end each; four and three of the inserted documents
    assert late["tokens"].to_list() == [tokens // 64 * 64]
    assert not list((results / "streams/continued").glob("*.tokens"))


def test_an_insertion_is_compared_with_its_control(results):
    asked = pl.read_parquet(results / "scores/continued/late/late.parquet")
    before = pl.read_parquet(results / "scores/continued/control/late.parquet")
    gain = pl.read_parquet(results / "figures/fig4_continued.parquet").filter(when="after")
    assert gain.select("placement", "group", "x", "n").sort("group", "x").rows() == [
        ("late", "other", 0, 1),
        ("late", "target", 0, 1),
        ("late", "target", 7, 1),
    ]
    change = dict(zip(asked["entity"], asked["correct"].cast(int) - before["correct"].cast(int)))
    assert dict(gain.select(pl.format("{}{}", "group", "x"), "gain").iter_rows()) == {
        "target7": change["Ada"],
        "target0": change["Ulm"],
        "other0": change["Ems"],
    }
