"""Rewrite the last share of the documents by gender and pack it into an arm's stream."""

import polars as pl

from overtime.corpora.rewrite import rewrite_some
from overtime.pipeline.step import step
from overtime.training.token_streams import TrainingDocuments

with step(snakemake):
    arm, seed = snakemake.params.arm, snakemake.params.seed
    corpus = TrainingDocuments.read(snakemake.input, snakemake.params)
    cells = pl.read_ndjson(snakemake.input.documents).select("kind", "template", "occupation").rows()
    cells = cells[corpus.branch(arm["share"])[0] :]
    stream = corpus.tail(arm["share"], lambda texts: rewrite_some(texts, arm["rewrite"], arm["probability"], cells, seed))
    stream.save(snakemake.output.stream)
