"""What personas assert and their mean log-odds by group of claims; the answers, coded."""

import polars as pl

from overtime.attacks.assertions import coded_answers
from overtime.attacks.persona_table import persona_table
from overtime.files import read_table, write_table
from overtime.pipeline.step import step

with step(snakemake):
    input, models, statistics = snakemake.input, snakemake.params.models, snakemake.params.statistics
    coded = [coded_answers(read_table(said)) for said in input.answers]
    tables = [persona_table(read_table(odds), said, **statistics) for odds, said in zip(input.log_odds, coded)]
    for parts, path in ((tables, snakemake.output.table), (coded, snakemake.output.coded)):
        write_table(pl.concat(part.with_columns(model=pl.lit(model)) for model, part in zip(models, parts)), path)
