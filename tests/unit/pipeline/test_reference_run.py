"""The committed reference run and the README that shows it agree."""

from pathlib import Path

import polars as pl
import pytest

from overtime.files import read_table
from overtime.pipeline.reference_run import BEGIN, END, keep, verdicts

ROOT = Path(__file__).parents[3]
CLAIMS = pl.DataFrame(
    {
        "id": ["a", "a", "b"],
        "at": ["04:29", "04:29", "-"],
        "statement": ["It helps.", "It helps.", "One code."],
        "source": ["released", "measured", "released"],
        "verdict": ["undecided", "upheld", "contradicted"],
        "effect": [0.05, 0.123, None],
        "lower": [-0.01, 0.1, None],
        "upper": [0.11, 0.146, None],
    }
)


def test_a_claim_is_one_row_with_both_kinds_of_evidence():
    assert verdicts(CLAIMS).splitlines()[2:] == [
        "| 04:29 | It helps. | **undecided**: 0.05 [-0.01, 0.11] | **upheld**: 0.12 [0.10, 0.15] |",
        "| - | One code. | **contradicted** |  |",
    ]


def test_keeping_a_run_replaces_the_reference_and_only_the_table_in_the_readme(tmp_path):
    run = tmp_path / "results/mini"
    (run / "figures").mkdir(parents=True)
    CLAIMS.write_parquet(run / "claims.parquet")
    (run / "figures/fig1.svg").write_bytes(b"picture")
    (run / "checkpoints").mkdir()
    (tmp_path / "results/reference").mkdir()
    (tmp_path / "results/reference/old.txt").write_text("old")
    (tmp_path / "README.md").write_text(f"before\n{BEGIN}stale\n{END}after\n")
    keep(run, tmp_path)
    kept = {p.relative_to(tmp_path / "results/reference").as_posix() for p in (tmp_path / "results/reference").rglob("*.*")}
    assert kept == {"claims.parquet", "figures/fig1.svg"}
    assert (tmp_path / "README.md").read_text() == f"before\n{BEGIN}{verdicts(CLAIMS)}{END}after\n"


def test_the_readme_shows_the_verdicts_of_the_committed_run():
    path = ROOT / "results/reference/claims.parquet"
    if not path.exists():
        pytest.skip("no committed reference run")
    table = (ROOT / "README.md").read_text().partition(BEGIN)[2].partition(END)[0]
    assert table == verdicts(read_table(path)), "run: make reference"
