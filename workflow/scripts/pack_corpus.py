"""Tokenise a corpus for a published model and pack it into one stream file."""

from itertools import chain

from overtime.corpora.documents import read_documents
from overtime.models.pretrained_files import read_tokenizer
from overtime.pipeline.step import step
from overtime.training.packed_corpus import pack_texts

with step(snakemake):
    tokenizer = read_tokenizer(snakemake.input.model)
    texts = (document["text"] for document in chain.from_iterable(map(read_documents, snakemake.input.shards)))
    place = f"config: continued.{snakemake.wildcards.run}.tokens"
    pack_texts(texts, tokenizer, snakemake.params.tokens, snakemake.output.stream, place)
