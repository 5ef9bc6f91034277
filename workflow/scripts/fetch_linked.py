"""Fetch the entities of a question set from the Hub."""

from overtime.hub import fetch_file
from overtime.step import step

with step(snakemake):
    linked = snakemake.params.linked
    fetch_file(linked["hub"], linked["file"], snakemake.output.entities)
