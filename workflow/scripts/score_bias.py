"""Score the sentence pairs and the neutral contexts at every checkpoint of all runs of one size."""

from overtime.bias.score_suite import pair_scores, pronoun_scores
from overtime.files import read_table, write_table
from overtime.models.neox import Neox, NeoxConfig
from overtime.pipeline.step import step
from overtime.training.runs import evaluate

with step(snakemake):
    input, output = snakemake.input, snakemake.output
    model = Neox(NeoxConfig.read(input.runs[0]))
    pairs = pair_scores(model, input.tokenizer, read_table(input.pairs))
    pronouns = pronoun_scores(model, input.tokenizer, read_table(input.contexts))
    tables = evaluate(model, dict(zip(input.runs, snakemake.params.runs)), pairs, pronouns)
    for table, path in zip(tables, (output.pairs, output.pronouns)):
        write_table(table, path)
