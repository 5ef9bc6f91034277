"""Fetch the released measurements and the sentence pairs behind them, every file verified."""

from overtime.sources import fetch_dataset, read_ledger, select
from overtime.step import step

with step(snakemake):
    ledger = read_ledger(snakemake.input.ledger)
    for output, datasets in snakemake.params.datasets.items():
        sources = [source for dataset in datasets for source in select(ledger, dataset)]
        fetch_dataset(sources, snakemake.output[output], snakemake.params.mirror)
