"""Score the sentence pairs and the neutral contexts at every checkpoint of a run and its arms."""

from overtime.bias.pronoun_contexts import pronoun_log_odds
from overtime.files import read_table, write_table
from overtime.models.likelihood import score_pairs
from overtime.pipeline.step import step
from overtime.training.runs import evaluate

with step(snakemake):
    input, output = snakemake.input, snakemake.output
    pairs, contexts = read_table(input.pairs), read_table(input.contexts)

    def score(model, tokenizer):
        return score_pairs(model, tokenizer, pairs).select("pair", "ll_more", "ll_less")

    def check(model, tokenizer):
        return pronoun_log_odds(model, tokenizer, contexts)

    for tables, *paths in zip(evaluate(input.runs, score, check), output.pairs, output.pronouns):
        for table, path in zip(tables, paths):
            write_table(table, path)
