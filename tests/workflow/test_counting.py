"""Counting in a published entity map, from the files of a download to the counts of a question set."""

import json

import numpy as np
import polars as pl
import yaml
from project import create, snakemake

SETTINGS = {
    "scale": "counting",
    "entity_maps": {"pile": {"hub": "someone/maps", "file": "map.npz", "bytes": 1000}},
    "questions": {
        "sets": {"own": {"entities": {"hub": "someone/questions", "file": "own.jsonl"}}},
        "exclude_countries": True,
    },
    "pretrained": {"smollm2-135m": {"corpus": "pile"}},
}
FRANCE, PARIS, RIVER = (f"http://dbpedia.org/resource/{name}" for name in ("France", "Paris", "Seine"))


def test_counts_of_a_question_set_in_an_entity_map(tmp_path):
    folder = create(tmp_path)
    (folder / "settings.yaml").write_text(yaml.safe_dump(SETTINGS))
    results = folder / "results/counting"
    for place in ("maps", "sources/questions"):
        (results / place).mkdir(parents=True)
    documents = {FRANCE: np.arange(50), PARIS: np.arange(30), RIVER: np.array([7, 3, 3, 40])}
    np.savez(results / "maps/pile.npz", **{name: array.astype(np.int32) for name, array in documents.items()})
    lines = [{"q_entities": [{"URI": FRANCE}, {"URI": RIVER}], "a_entities": [{"URI": PARIS}]}]
    lines += [{"q_entities": [], "a_entities": []}] * (
        pl.read_csv(folder / "workflow/overtime/resources/facts/questions.csv").height - 1
    )
    (results / "sources/questions/own.jsonl").write_text("\n".join(map(json.dumps, lines)))
    counts = results / "counts/own/pile.parquet"
    target = str(counts.relative_to(folder))
    done = snakemake(folder, target, settings=[folder / "settings.yaml"])
    assert done.returncode == 0, done.stderr[-3000:]
    table = pl.read_parquet(counts)
    # Documents 3 and 7 name both; France, which shares 30 with Paris, is left out
    assert table.row(0)[:5] == ("own", "pile", 0, 2, RIVER)
    assert table["count"][1:].unique().to_list() == [0]
    assert not (results / "maps/pile.npz").exists()  # 23.6 GB for the Pile
    plan = snakemake(folder, "--dry-run", "results/counting/figures/fig3.parquet", settings=[folder / "settings.yaml"])
    assert target in plan.stdout  # what figure 3 counts comes from here
