"""Turn a published entity map into one whose entities are read without the rest."""

from overtime.corpora.entity_map import EntityMap
from overtime.pipeline.step import step

with step(snakemake):
    EntityMap.from_npz(snakemake.input.npz).to_parquet(snakemake.output.map)
