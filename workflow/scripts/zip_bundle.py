"""Pack the gallery, the figures with their tables, the claims and the manifest."""

from pathlib import Path

from overtime.bundle import pack
from overtime.step import step

with step(snakemake):
    pack(snakemake.input.files, Path(snakemake.output.bundle).parent, snakemake.output.bundle)
