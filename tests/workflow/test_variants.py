"""Variants of the generated world: the null world of the tiny run, and which of them a run makes."""

import polars as pl
import pytest
from project import snakemake

from overtime.corpora.rewrite import rewrite
from overtime.training.runs import read_log

SCORES = [f"results/tiny/variants/null/scores/{task}/s.parquet" for task in ("pairs", "pronouns")]


@pytest.fixture(scope="module")
def null(finished, tmp_path_factory):
    """Results of the tiny run with its null world."""
    from finished import copy_finished

    project = copy_finished(finished, tmp_path_factory.mktemp("variants") / "project")
    result = snakemake(project, *SCORES)
    assert result.returncode == 0, result.stderr[-4000:]
    return project / "results/tiny"


def test_the_null_world_differs_in_the_gender_of_sentences_alone(null):
    main, other = (pl.read_ndjson(folder / "corpus/documents.jsonl") for folder in (null, null / "variants/null"))
    assert main.drop("text").equals(other.drop("text"))
    changed = main.filter(pl.Series(main["text"] != other["text"]))
    assert set(changed["kind"]) == {"gender"}
    pairs, of_null = (pl.read_parquet(folder / "corpus/pairs.parquet") for folder in (null, null / "variants/null"))
    assert pairs.drop("probability_masculine", "masculine", "feminine").equals(
        of_null.drop("probability_masculine", "masculine", "feminine")
    )
    assert set(of_null["probability_masculine"]) == {0.5}


def test_the_scores_of_a_variant_are_like_the_main_ones_at_what_arms_need(null):
    for task in ("pairs", "pronouns"):
        main, other = (pl.read_parquet(folder / f"scores/{task}/s.parquet") for folder in (null, null / "variants/null"))
        assert main.schema == other.schema
        assert set(other.select("arm", "seed").unique().rows()) == {("baseline", "0"), ("swap14", "0")}
    run = null / "variants/null/checkpoints/s/baseline/seed0"
    assert read_log(run)["percent"].round(0).to_list() == [79, 86, 100]  # what the arm continues from, and the last three


def test_a_two_way_arm_has_a_stream_for_each_run_and_the_others_one(null):
    streams = {path.relative_to(null / "streams").as_posix() for path in (null / "streams").rglob("*.npz")}
    assert {"swap14.npz", "cda14/seed0.npz", "cda14/seed1.npz"} <= streams
    assert "cda14.npz" not in streams
    first, second = ((null / f"streams/cda14/seed{seed}.npz").read_bytes() for seed in (0, 1))
    assert first != second


def test_exactly_half_of_what_an_arm_sees_of_every_cell_is_swapped(null):
    """The stream's own documents, against those of the corpus: words of the vocabulary that stand in their place."""
    from overtime.corpora.rewrite import rewrite_some

    documents = pl.read_ndjson(null / "corpus/documents.jsonl").tail(100)
    cells = documents.select("kind", "template", "occupation").rows()
    for seed in (0, 1):
        done = rewrite_some(documents["text"].to_list(), "swap", 0.5, cells, [0, seed])
        for cell in set(cells):
            of_cell = [(text, now) for text, now, where in zip(documents["text"], done, cells) if where == cell]
            flipped = sum(text != now for text, now in of_cell)
            changeable = sum(rewrite(text, "swap") != text for text, _ in of_cell)
            assert flipped <= (len(of_cell) + 1) // 2
            assert changeable < len(of_cell) or flipped >= len(of_cell) // 2


def test_only_what_is_asked_for_is_made(tmp_path):
    """`second` is for the target `robustness` alone."""
    from project import create

    folder = create(tmp_path / "project")
    default = snakemake(folder, "--dry-run", settings=[folder / "config/config.yaml"])
    assert default.returncode == 0, default.stderr[-4000:]
    assert "variants/second" not in default.stdout + default.stderr
    asked = snakemake(
        folder, "--dry-run", "results/mini/variants/second/scores/closed_book/s.parquet", settings=[folder / "config/config.yaml"]
    )
    planned = asked.stdout + asked.stderr
    assert "answer_variant" in planned
    assert "train_variant_arm" not in planned, "answers are those of baselines"
