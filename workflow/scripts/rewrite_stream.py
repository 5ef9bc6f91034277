"""Rewrite the last share of the documents by gender and pack it into an arm's stream."""

from overtime.step import step
from overtime.streams import Corpus

with step(snakemake):
    corpus, arm = Corpus.read(snakemake.input, snakemake.params), snakemake.params.arm
    stream = corpus.rewritten(arm["rewrite"], arm["share"], arm["probability"], snakemake.params.seed)
    stream.save(snakemake.output.stream)
