"""Judge every claim on every kind of evidence, and what would change the verdicts."""

from overtime.claims.evidence import declarations
from overtime.claims.verdicts import claims_markdown, judge
from overtime.files import atomic, write_table
from overtime.pipeline.step import step

with step(snakemake):
    params = snakemake.params
    inputs = {name: files for name, files in snakemake.input.items() if name != "claims"}
    declared = declarations(**params.declared)
    table, families = judge(snakemake.input.claims, inputs | declared, params.robustness)
    write_table(table, snakemake.output.table)
    write_table(families, snakemake.output.families)
    with atomic(snakemake.output.text) as temporary:
        temporary.write_text(claims_markdown(table), encoding="utf-8")
