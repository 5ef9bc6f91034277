"""Fetch one dataset of the ledger, every file verified."""

from overtime.sources import fetch_dataset, read_ledger, select
from overtime.step import step

with step(snakemake):
    sources = select(read_ledger(snakemake.input.ledger), snakemake.wildcards.dataset)
    fetch_dataset(sources, snakemake.output.files, snakemake.params.mirror)
