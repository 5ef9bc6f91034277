"""The measures of bias over the tokens that models were trained further on, and how the texts differ at the end."""

from overtime.bias.continued_table import continued_table, placed
from overtime.files import write_table
from overtime.pipeline.step import step
from overtime.tables import continued_runs, read_runs

with step(snakemake):
    input, runs = snakemake.input, continued_runs(snakemake.params.runs)
    pairs = placed(read_runs(input.continued_pairs, ("run",)), read_runs(input.start_pairs, ("family",)), runs)
    pronouns = placed(read_runs(input.continued_pronouns, ("run",)), read_runs(input.start_pronouns, ("family",)), runs)
    write_table(continued_table(pairs, pronouns, runs), snakemake.output.table)
