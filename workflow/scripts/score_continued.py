"""Score gender bias at the checkpoints of a continued run, and keep its log; what could not be had gives an empty table."""

from overtime.bias.score_continued import score_run
from overtime.files import write_table
from overtime.pipeline.step import step
from overtime.training.runs import read_log

with step(snakemake):
    input = snakemake.input
    tables = score_run(input.run, input.crows_pairs, input.winobias, snakemake.params.device)
    log = read_log(input.run).drop("tokens_per_second")  # all that differs between equal runs
    for name, table in (tables | {"log": log}).items():
        write_table(table, snakemake.output[name])
