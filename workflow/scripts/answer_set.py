"""Ask a pretrained model the questions of one set, closed book and with passages; nothing to ask where the set is empty."""

import polars as pl

from overtime.facts.ask_pretrained import ANSWERS, answer
from overtime.files import read_table, write_table
from overtime.pipeline.step import step

with step(snakemake):
    input, wildcards, table = snakemake.input, snakemake.wildcards, pl.DataFrame(schema=ANSWERS)
    questions = read_table(input.questions)
    if questions.height:
        from overtime.models.load import load  # takes seconds, and an empty set needs no model

        model, tokenizer = load(input.model, **snakemake.params.inference, timings=snakemake.input.timings)
        table = answer(model, tokenizer, questions, **snakemake.params.asked)
        table = table.select(pl.lit(wildcards.set).alias("set"), pl.lit(wildcards.model).alias("model"), *list(ANSWERS)[2:])
    write_table(table, snakemake.output.scores)
