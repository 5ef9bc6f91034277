"""Score CrowS-Pairs, WinoBias and the neutral contexts at published checkpoints of one model, fetched one after the other."""

from pathlib import Path
from tempfile import TemporaryDirectory

from overtime.bias.score_published import score_checkpoints
from overtime.bias.sentence_sets import read_suites
from overtime.bias.winobias_forms import read_winobias_forms
from overtime.files import write_table
from overtime.pipeline.step import step

with step(snakemake), TemporaryDirectory(dir=snakemake.resources.tmpdir) as folder:
    input, params = snakemake.input, snakemake.params
    suites = read_suites(input.crows_pairs, input.winobias) | {"winobias_forms": read_winobias_forms(input.winobias)}
    inference = {**params.inference, "timings": input.timings}
    tables = score_checkpoints(params.hub, params.steps, Path(folder), suites, inference)
    for name, table in tables.items():
        write_table(table, snakemake.output[name])
