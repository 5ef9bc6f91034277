"""Judge every claim on released and on measured evidence."""

from overtime.claims.evidence import declarations
from overtime.claims.judge import claims_markdown, judge
from overtime.files import atomic, write_table
from overtime.pipeline.step import step

with step(snakemake):
    params = snakemake.params
    inputs = {name: files for name, files in snakemake.input.items() if name != "claims"}
    declared = declarations(params.parameters, params.corpora, params.arms, params.published)
    table = judge(snakemake.input.claims, inputs | declared, **params.statistics)
    write_table(table, snakemake.output.table)
    with atomic(snakemake.output.text) as temporary:
        temporary.write_text(claims_markdown(table), encoding="utf-8")
