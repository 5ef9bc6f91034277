"""Download one revision of a model from the Hub into a folder."""

from overtime.hub import download

from overtime.files import atomic
from overtime.step import step

with step(snakemake), atomic(snakemake.output.model) as folder:
    download(snakemake.params.hub, snakemake.params.revision, folder)
