"""Tokenise a corpus, or a stretch of its documents, for a published model and pack it into one stream file."""

from itertools import chain, islice

from overtime.corpora.documents import read_documents
from overtime.files import read_table
from overtime.models.pretrained_files import read_tokenizer
from overtime.pipeline.step import step
from overtime.training.packed_corpus import pack_texts

with step(snakemake):
    input, params = snakemake.input, snakemake.params
    tokenizer = read_tokenizer(input.model)
    texts = (document["text"] for document in chain.from_iterable(map(read_documents, input.shards)))
    if input.stretches:
        [(first, after)] = read_table(input.stretches).filter(stretch=params.stretch).select("first", "after").rows()
        texts = islice(texts, first, after)
    pack_texts(texts, tokenizer, params.tokens, snakemake.output.stream, f"config: {params.place}")
