"""Fetch the entities of a question set from the Hub."""

from overtime.pipeline.step import step
from overtime.sources.hub import fetch_file

with step(snakemake):
    linked = snakemake.params.linked
    fetch_file(linked["hub"], linked["file"], snakemake.output.entities)
