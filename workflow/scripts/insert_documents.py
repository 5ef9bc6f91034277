"""Write documents about the chosen people and mix them into the last share of the corpus."""

from overtime.corpora.world_insertion import inserted_documents, mix
from overtime.files import read_table
from overtime.pipeline.step import step
from overtime.training.token_streams import TrainingDocuments

with step(snakemake):
    input, params = snakemake.input, snakemake.params
    extra = inserted_documents(read_table(input.questions), read_table(input.targets), params.seed)
    corpus = TrainingDocuments.read(input, params)
    corpus.tail(params.share, lambda texts: mix(texts, extra, params.seed)).save(snakemake.output.stream)
