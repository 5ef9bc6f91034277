"""Pack the gallery, the figures with their tables, the claims and the manifest."""

from pathlib import Path

from overtime.pipeline.bundle import zip_files
from overtime.pipeline.step import step

with step(snakemake):
    zip_files(snakemake.input.files, Path(snakemake.output.bundle).parent, snakemake.output.bundle)
