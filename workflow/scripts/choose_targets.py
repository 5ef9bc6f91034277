"""Choose the people about whom documents are inserted, by the number of documents they have."""

from overtime.corpora.world_insertion import choose_targets
from overtime.files import read_table, write_table
from overtime.pipeline.step import step

with step(snakemake):
    questions, counts = read_table(snakemake.input.questions), read_table(snakemake.input.counts)
    targets = choose_targets(questions, counts, **snakemake.params.insertion, seed=snakemake.params.seed)
    write_table(targets, snakemake.output.targets)
