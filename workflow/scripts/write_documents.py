"""Write the documents of a data set with many gendered pronouns as a shard of JSON Lines."""

import json

from overtime.corpora.documents import write_lines
from overtime.corpora.gendered_documents import gendered_texts
from overtime.files import read_table
from overtime.pipeline.step import step

with step(snakemake):
    params, place = snakemake.params, f"config: corpora.{snakemake.wildcards.corpus}"
    texts = read_table(snakemake.input.articles, ["text"])["text"]
    documents = gendered_texts(texts, params.pronouns, params.seed, place, params.documents)
    write_lines((json.dumps(document).encode() for document in documents), snakemake.output.shard)
