"""Find the entities that the documents of one shard mention."""

from overtime.corpora.counting import count_texts
from overtime.corpora.entity_names import choose_names
from overtime.corpora.shard_reports import report_shard, tally_texts
from overtime.pipeline.step import step

with step(snakemake):
    output, params = snakemake.output, snakemake.params
    names = choose_names(**params.tables)
    with report_shard("count", snakemake.wildcards.shard, output.report) as row:
        count_texts(tally_texts(snakemake.input.shard, row), names).to_parquet(output.mentions)
