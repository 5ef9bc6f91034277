"""Download one revision of a model from the Hub into a folder."""

from pathlib import Path

from overtime.hub import download
from overtime.step import step

with step(snakemake):
    download(snakemake.params.hub, snakemake.params.revision, Path(snakemake.output.model))
