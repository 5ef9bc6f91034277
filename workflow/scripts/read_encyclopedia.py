"""Read the articles of the packaged encyclopedia into a table."""

from overtime.files import write_table
from overtime.pipeline.step import step
from overtime.sources.encyclopedia import read_encyclopedia

with step(snakemake):
    write_table(read_encyclopedia(snakemake.input.folder), snakemake.output.articles)
