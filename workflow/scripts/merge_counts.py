"""Join the entity maps of all shards: documents are numbered through in the order of the shards."""

from overtime.corpora.entity_map import EntityMap
from overtime.pipeline.step import step

with step(snakemake):
    parts = (EntityMap.from_parquet(path, in_memory=0) for path in snakemake.input.mentions)
    EntityMap.merge(parts).to_parquet(snakemake.output.entities)
