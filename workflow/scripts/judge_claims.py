"""Judge every claim on released and on measured evidence."""

import polars as pl

from overtime.claims import judge, to_markdown
from overtime.files import atomic, write_table
from overtime.step import step

with step(snakemake):
    inputs = {name: files for name, files in snakemake.input.items() if name != "claims"}
    inputs["corpora"] = pl.DataFrame(list(snakemake.params.corpora.items()), ["model", "corpus"], orient="row")
    table = judge(snakemake.input.claims, inputs, **snakemake.params.statistics)
    write_table(table, snakemake.output.table)
    with atomic(snakemake.output.text) as temporary:
        temporary.write_text(to_markdown(table), encoding="utf-8")
