"""Write documents about the chosen people and mix them into the last share of the corpus."""

from overtime.files import read_table
from overtime.insertion import mix, write_documents
from overtime.step import step
from overtime.streams import Corpus

with step(snakemake):
    input, params = snakemake.input, snakemake.params
    extra = write_documents(read_table(input.questions), read_table(input.targets), params.seed)
    corpus = Corpus.read(input, params)
    corpus.tail(params.share, lambda texts: mix(texts, extra, params.seed)).save(snakemake.output.stream)
