"""The committed reference run and the README that shows it agree."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import save_file

from overtime import InputError
from overtime.files import read_table
from overtime.pipeline.reference_run import (
    BEGIN,
    BESIDE,
    END,
    END_OF_BESIDE,
    END_OF_NUMBERS,
    NUMBERS,
    keep,
    verdicts,
    verdicts_beside,
)

ROOT = Path(__file__).parents[3]
SURE = {"at": "04:29", "statement": "It helps.", "source": "measured", "verdict": "upheld", "effect": 0.1234, "lower": 0.1}
SURE |= {"upper": 0.1468, "kind": "greater", "survives_holm": True, "same_share": 0.9, "fragile": "seeds 9/10", "scope": "Tiny."}
NOTHING = {
    "effect": None,
    "lower": None,
    "upper": None,
    "survives_holm": None,
    "same_share": None,
    "fragile": "",
    "kind": "document",
}
CLAIMS = pl.DataFrame(
    [
        SURE,
        SURE | {"statement": "It flips.", "same_share": 0.5},
        SURE | {"statement": "By chance.", "survives_holm": False},
        SURE | {"statement": "Anything may.", "verdict": "not specific"},
        SURE | {"at": "-", "statement": "One code.", "source": "released", "verdict": "contradicted"} | NOTHING,
    ]
)


def test_the_readme_states_what_is_sure_and_documents():
    assert verdicts(CLAIMS).splitlines()[2:] == [
        "| 04:29 | It helps. | measured | upheld | 0.123 [0.100, 0.147] | seeds 9/10 | Tiny. |",
        "| - | One code. | released | contradicted |  |  | Tiny. |",
    ]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    run = tmp_path / "results/mini"
    (run / "figures").mkdir(parents=True)
    CLAIMS.write_parquet(run / "claims.parquet")
    (run / "figures/fig1.svg").write_bytes(b"picture")
    for size, width in (("xs", 100), ("s", 200)):
        folder = run / f"checkpoints/{size}/baseline/seed0"
        folder.mkdir(parents=True)
        save_file({"a": np.zeros((width, 50)), "b": np.zeros(200)}, folder / "step20.safetensors")
        save_file({"a": np.zeros(1)}, folder / "step9.safetensors")  # not the last, though its name sorts after it
    (run / "corpus/tokenizer").mkdir(parents=True)
    (run / "corpus/tokenizer/tokenizer.json").write_text(json.dumps({"model": {"vocab": {"a": 0, "b": 1, "c": 2}}}))
    (run / "corpus/documents.jsonl").write_text("{}\n" * 1234)
    (tmp_path / "results/reference").mkdir()
    (tmp_path / "results/reference/old.txt").write_text("old")
    return run


def test_keeping_a_run_replaces_the_reference_and_the_parts_of_the_readme_that_it_counts(run, tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{BEGIN}stale\n{END}between\n{NUMBERS}stale\n{END_OF_NUMBERS}after\n")
    keep(run, tmp_path)
    kept = {p.relative_to(tmp_path / "results/reference").as_posix() for p in (tmp_path / "results/reference").rglob("*.*")}
    assert kept == {"claims.parquet", "figures/fig1.svg"}
    text = readme.read_text()
    assert text.startswith(f"before\n{BEGIN}{verdicts(CLAIMS)}{END}between\n{NUMBERS}The suite has 2 sizes of 5,000 to 10,000")
    assert "1,234 generated documents over a vocabulary of 3 words.\n" in text
    assert text.endswith(f"{END_OF_NUMBERS}after\n")
    assert "stale" not in text


REAL = {"id": "swap", "source": "continued", "verdict": "undecided", "effect": None, "lower": None, "upper": None}
EVENING = pl.DataFrame([SURE | REAL, SURE | REAL | {"source": "measured"}, SURE | REAL | {"id": "new", "verdict": "upheld"}])


def test_verdicts_on_real_text_stand_beside_those_on_the_generated_world_and_are_not_pooled():
    default = CLAIMS.with_columns(id=pl.Series(["swap", "b", "c", "d", "new"]))
    assert verdicts_beside(default, EVENING).splitlines()[2:] == [
        "| 04:29 | It helps. | upheld 0.123 [0.100, 0.147] | undecided | continued |",
        "| 04:29 | It helps. |  | upheld | continued |",
    ]


def test_keeping_an_evening_run_leaves_the_default_reference_and_its_table_alone(run, tmp_path):
    evening = run.rename(tmp_path / "results/evening")
    EVENING.write_parquet(evening / "claims.parquet")
    CLAIMS.with_columns(id=pl.lit("swap")).write_parquet(tmp_path / "results/reference/claims.parquet")
    readme = tmp_path / "README.md"
    readme.write_text(f"{BEGIN}kept\n{END}{BESIDE}stale\n{END_OF_BESIDE}{NUMBERS}kept too\n{END_OF_NUMBERS}")
    keep(evening, tmp_path)
    assert (tmp_path / "results/reference/old.txt").is_file()
    assert (tmp_path / "results/reference-evening/figures/fig1.svg").is_file()
    assert f"{BEGIN}kept\n{END}" in readme.read_text()
    assert "stale" not in readme.read_text()
    assert "SmolLM2-135M, real text" in readme.read_text()
    assert f"{NUMBERS}kept too\n" in readme.read_text()


def test_a_readme_without_a_place_for_the_numbers_is_refused(run, tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{BEGIN}{END}after\n")
    with pytest.raises(InputError, match=r"README\.md: no line <!-- numbers -->"):
        keep(run, tmp_path)
    assert readme.read_text() == f"before\n{BEGIN}{END}after\n"


def test_the_readme_shows_the_verdicts_of_the_committed_run():
    path = ROOT / "results/reference/claims.parquet"
    if not path.exists():
        pytest.skip("no committed reference run")
    table = (ROOT / "README.md").read_text().partition(BEGIN)[2].partition(END)[0]
    assert table == verdicts(read_table(path)), "run: make reference"
