"""Rewrite one shard by gender, or a drawn share of its documents."""

from dataclasses import asdict
from zlib import crc32

from overtime.corpora.rewrite import draw_share, rewrite_file
from overtime.corpora.shard_reports import report_shard
from overtime.pipeline.step import step

with step(snakemake):
    input, output, wildcards = snakemake.input, snakemake.output, snakemake.wildcards
    rewriting = snakemake.params.rewriting
    share, seed = rewriting["probability"], [rewriting["seed"], crc32(wildcards.shard.encode())]
    chosen = draw_share(share, seed) if share < 1 else None  # another draw in every shard
    with report_shard(f"rewrite: {wildcards.mode}", wildcards.shard, output.report) as row:
        row.update(asdict(rewrite_file(input.shard, output.shard, rewriting["mode"], chosen)))
