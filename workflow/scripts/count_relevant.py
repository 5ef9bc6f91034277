"""Count, in the entity map of a corpus, the documents that are relevant to the questions of a set."""

import polars as pl

from overtime.corpora.counting import countries, relevant_documents
from overtime.corpora.entity_map import EntityMap
from overtime.files import read_table, write_table
from overtime.pipeline.step import step

with step(snakemake):
    exclude = countries() if snakemake.params.exclude_countries else frozenset()
    questions = read_table(snakemake.input.questions)
    table = relevant_documents(EntityMap.from_parquet(snakemake.input.map), questions, exclude)
    identity = {"set": pl.lit(snakemake.wildcards.set), "corpus": pl.lit(snakemake.wildcards.corpus)}
    write_table(table.select(**identity, **{name: name for name in table.columns}), snakemake.output.counts)
