"""CrowS-Pairs by category and direction, WinoBias by type and side, and the pronouns, of pretrained models."""

from overtime.files import read_table, write_table
from overtime.published import pretrained_table
from overtime.step import step

with step(snakemake):
    input, params = snakemake.input, snakemake.params
    tests = {name: map(read_table, input[name]) for name in ("crows_pairs", "winobias", "pronouns_english")}
    scored = {model: dict(zip(tests, tables)) for model, *tables in zip(params.models, *tests.values())}
    write_table(pretrained_table(scored, **params.statistics), snakemake.output.table)
