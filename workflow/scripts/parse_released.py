"""Parse the authors' released files into the tables that are committed in workflow/resources/released."""

from pathlib import Path

from overtime.released import write_tables
from overtime.sources import read_ledger
from overtime.step import step

with step(snakemake):
    input = snakemake.input
    commits = {source.dataset: source.version for source in read_ledger(input.ledger)}
    write_tables(Path(input.crows_pairs), Path(input.winobias), Path(input.layers), commits, Path(snakemake.output.tables[0]).parent)
