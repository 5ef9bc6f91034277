"""Fetch the entity map of one corpus from the Hub."""

from overtime.hub import fetch_file
from overtime.step import step

with step(snakemake):
    fetch_file(snakemake.params.hub, snakemake.params.file, snakemake.output.npz)
