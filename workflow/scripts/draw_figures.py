"""Draw every figure from its table, all in one process."""

from pathlib import Path

from overtime.figures.draw import draw
from overtime.files import read_table
from overtime.pipeline.step import step

with step(snakemake):
    tables = {Path(path).stem: read_table(path) for path in snakemake.input.tables}
    draw(tables, Path(snakemake.input.tables[0]).parent)
