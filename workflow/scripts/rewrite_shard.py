"""Rewrite one shard by gender."""

from dataclasses import asdict

from overtime.corpora.rewrite import rewrite_file
from overtime.corpora.shard_reports import report_shard
from overtime.pipeline.step import step

with step(snakemake):
    input, output, wildcards = snakemake.input, snakemake.output, snakemake.wildcards
    with report_shard(f"rewrite: {wildcards.mode}", wildcards.shard, output.report) as row:
        row.update(asdict(rewrite_file(input.shard, output.shard, wildcards.mode)))
