"""Fetch the released measurements and the sentence pairs behind them, every file verified."""

from overtime.pipeline.step import step
from overtime.sources.download import fetch_dataset
from overtime.sources.ledger import read_ledger, select

with step(snakemake):
    ledger = read_ledger(snakemake.input.ledger)
    for output, datasets in snakemake.params.datasets.items():
        sources = [source for dataset in datasets for source in select(ledger, dataset)]
        fetch_dataset(sources, snakemake.output[output], snakemake.params.mirror)
