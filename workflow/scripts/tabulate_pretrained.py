"""CrowS-Pairs by category and direction, WinoBias by type and side, and the pronouns, of pretrained models."""

from overtime.bias.pretrained_table import pretrained_table
from overtime.files import read_table, write_table
from overtime.pipeline.step import step
from overtime.tables import with_parameters

with step(snakemake):
    input, params = snakemake.input, snakemake.params
    tests = {name: map(read_table, input[name]) for name in ("crows_pairs", "winobias", "pronouns_english")}
    scored = {model: dict(zip(tests, tables)) for model, *tables in zip(params.models, *tests.values())}
    table = pretrained_table(scored, **params.statistics)
    write_table(with_parameters(table, params.parameters), snakemake.output.table)
