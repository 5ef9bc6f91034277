"""Pack the documents into the token stream of the undisturbed run."""

from overtime.pipeline.step import step
from overtime.training.token_streams import TrainingDocuments

with step(snakemake):
    corpus = TrainingDocuments.read(snakemake.input, snakemake.params)
    corpus.baseline(snakemake.params.shares).save(snakemake.output.stream)
