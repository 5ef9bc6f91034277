"""Say what every task on a corpus took, and estimate what it would take on a larger one."""

from overtime.corpora.throughput import read_reports, throughput_markdown, throughput_table
from overtime.files import atomic, write_table
from overtime.pipeline.step import step

with step(snakemake):
    summary = throughput_table(read_reports(snakemake.input.reports), **snakemake.params.estimate)
    write_table(summary, snakemake.output.table)
    with atomic(snakemake.output.page) as temporary:
        temporary.write_text(throughput_markdown(snakemake.wildcards.corpus, summary))
