"""Answer every prompt from earlier layers, chosen on other prompts, and by doing nothing."""

import polars as pl

from overtime.attacks.early_exit import defend
from overtime.files import read_table, write_table
from overtime.pipeline.step import step

with step(snakemake):
    window, seed = snakemake.params.window, snakemake.params.seed
    tasks = zip(snakemake.params.tasks, snakemake.input.layers)
    answers = pl.concat([defend(read_table(path), task, window, seed=seed) for task, path in tasks])
    write_table(answers, snakemake.output.scores)
