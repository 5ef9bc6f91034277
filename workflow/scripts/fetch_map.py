"""Fetch the entity map of one corpus from the Hub."""

from overtime.pipeline.step import step
from overtime.sources.hub import fetch_file

with step(snakemake):
    fetch_file(snakemake.params.hub, snakemake.params.file, snakemake.output.npz)
