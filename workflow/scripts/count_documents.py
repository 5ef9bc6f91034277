"""Count the documents behind every question: in the texts, by names; and by the record of what was generated."""

import polars as pl

from overtime.corpora.counting import count_texts, relevant_documents
from overtime.corpora.generated_world import recorded_counts
from overtime.files import read_table, write_table
from overtime.pipeline.step import step

with step(snakemake):
    input = snakemake.input
    questions = read_table(input.questions)
    texts = pl.read_ndjson(input.documents)["text"]
    names = {name: [name] for column in ("name", "answer") for name in questions[column].unique(maintain_order=True)}
    linked = questions.select("question", q_entities=pl.concat_list("name"), a_entities=pl.concat_list("answer"))
    counts = relevant_documents(count_texts(texts, names), linked)
    recorded = recorded_counts(read_table(input.record), questions).with_columns(pl.col("question").cast(pl.Int64))
    write_table(counts.join(recorded, on="question", maintain_order="left"), snakemake.output.counts)
