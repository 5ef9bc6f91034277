"""Choose facts that a pretrained model lacks, write documents about them, and what is asked about them and elsewhere."""

from overtime.facts.lacking_facts import documents_about, lacking_facts, questions_about
from overtime.files import read_table, write_table
from overtime.pipeline.step import step

with step(snakemake):
    input, params = snakemake.input, snakemake.params
    chosen = lacking_facts(read_table(input.questions), read_table(input.answers), **params.drawn, name=f"config: {params.place}")
    write_table(documents_about(chosen), snakemake.output.facts)
    elsewhere = dict(zip(params.elsewhere, map(read_table, input.elsewhere), strict=True))
    write_table(questions_about(chosen, elsewhere), snakemake.output.asked)
