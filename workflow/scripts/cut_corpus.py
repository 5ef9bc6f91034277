"""Cut a corpus into the disjoint stretches that a family of continued runs is trained on."""

from itertools import chain

from overtime.corpora.documents import read_documents
from overtime.files import write_table
from overtime.models.pretrained_files import read_tokenizer
from overtime.pipeline.step import step
from overtime.training.stretches import cut_stretches

with step(snakemake):
    params, tokenizer = snakemake.params, read_tokenizer(snakemake.input.model)
    texts = (document["text"] for document in chain.from_iterable(map(read_documents, snakemake.input.shards)))
    table = cut_stretches(texts, tokenizer, params.tokens, params.stretches, f"config: {params.place}")
    write_table(table, snakemake.output.stretches)
