"""Write one shard again with the planned documents between its own."""

import polars as pl

from overtime.corpora.documents import write_lines
from overtime.corpora.insertion_plan import insert_lines
from overtime.corpora.shard_reports import report_shard, tally_lines
from overtime.files import read_table
from overtime.pipeline.step import step

with step(snakemake):
    input, output, wildcards = snakemake.input, snakemake.output, snakemake.wildcards
    plan = read_table(input.plan).filter(pl.col("shard") == wildcards.shard)
    with report_shard(f"insert: {wildcards.insertion}", wildcards.shard, output.report) as row:
        row["inserted"] = plan.height
        write_lines(insert_lines(tally_lines(input.shard, row), plan), output.shard)
