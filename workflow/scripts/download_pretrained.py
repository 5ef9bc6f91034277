"""Download one revision of a model from the Hub into a folder."""

from pathlib import Path

from overtime.pipeline.step import step
from overtime.sources.hub import download

with step(snakemake):
    download(snakemake.params.hub, snakemake.params.revision, Path(snakemake.output.model))
