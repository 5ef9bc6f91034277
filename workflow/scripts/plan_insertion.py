"""Decide where in a corpus each document about a chosen fact is inserted."""

import polars as pl

from overtime.corpora.insertion_plan import plan_insertion, read_facts
from overtime.files import read_table, write_table
from overtime.pipeline.step import step

with step(snakemake):
    options = snakemake.params.insertion
    texts = read_facts(snakemake.input.facts, options["templates"])
    sizes = pl.concat([read_table(path, ["shard", "documents"]) for path in snakemake.input.sizes])
    write_table(plan_insertion(sizes, texts, options["share"], options["seed"]), snakemake.output.plan)
