"""Pack the documents into the token stream of the undisturbed run."""

from overtime.step import step
from overtime.streams import Corpus

with step(snakemake):
    corpus = Corpus.read(snakemake.input, snakemake.params)
    corpus.baseline().save(snakemake.output.stream)
