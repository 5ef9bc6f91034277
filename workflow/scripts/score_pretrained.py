"""Score both tests of gender bias and the neutral contexts with one model; a test that could not be had gives an empty table."""

from overtime.bias.score_published import prepare
from overtime.bias.sentence_sets import read_suites
from overtime.bias.winobias_forms import read_winobias_forms
from overtime.files import write_table
from overtime.models.load import load
from overtime.pipeline.step import step

with step(snakemake):
    input = snakemake.input
    model, tokenizer = load(input.model, **snakemake.params.inference, timings=snakemake.input.timings)
    suites = read_suites(input.crows_pairs, input.winobias) | {"winobias_forms": read_winobias_forms(input.winobias)}
    score = prepare(model, tokenizer, suites)
    for name, table in score().items():
        write_table(table, snakemake.output[name])
