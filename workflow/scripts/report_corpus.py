"""Say what every task on a corpus took, and estimate what it would take on a larger one."""

from overtime.files import atomic, write_table
from overtime.step import step
from overtime.throughput import read_reports, summarise, to_markdown

with step(snakemake):
    summary = summarise(read_reports(snakemake.input.reports), **snakemake.params.estimate)
    write_table(summary, snakemake.output.table)
    with atomic(snakemake.output.page) as temporary:
        temporary.write_text(to_markdown(snakemake.wildcards.corpus, summary))
