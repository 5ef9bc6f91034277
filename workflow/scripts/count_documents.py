"""Count, in the corpus itself, the documents that name both the person and the answer of a question."""

import polars as pl

from overtime.corpora.counting import count_texts, relevant_documents
from overtime.files import read_table, write_table
from overtime.pipeline.step import step

with step(snakemake):
    questions = read_table(snakemake.input.questions)
    texts = pl.read_ndjson(snakemake.input.documents)["text"]
    names = {name: [name] for column in ("entity", "answer") for name in questions[column].unique(maintain_order=True)}
    linked = questions.select("question", q_entities=pl.concat_list("entity"), a_entities=pl.concat_list("answer"))
    write_table(relevant_documents(count_texts(texts, names), linked), snakemake.output.counts)
