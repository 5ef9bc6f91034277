"""Rewrite the last share of the documents by gender and pack it into an arm's stream."""

from overtime.corpora.rewrite import rewrite_some
from overtime.pipeline.step import step
from overtime.training.token_streams import TrainingDocuments

with step(snakemake):
    arm, seed = snakemake.params.arm, snakemake.params.seed
    corpus = TrainingDocuments.read(snakemake.input, snakemake.params)
    stream = corpus.tail(arm["share"], lambda texts: rewrite_some(texts, arm["rewrite"], arm["probability"], seed))
    stream.save(snakemake.output.stream)
