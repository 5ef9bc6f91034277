"""Read one shard through: is every line a document, how many are there, how large are they."""

from overtime.corpora.shard_reports import report_shard, tally_texts
from overtime.pipeline.step import step

with step(snakemake), report_shard("read", snakemake.wildcards.shard, snakemake.output.report) as row:
    for _ in tally_texts(snakemake.input.shard, row):
        pass
