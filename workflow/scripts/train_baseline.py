"""Train one model of the suite from scratch on a stream."""

from overtime.models import precision
from overtime.models.neox import Neox, NeoxConfig
from overtime.models.vocabulary import copy_tokenizer, word_ids
from overtime.pipeline.step import step
from overtime.training.loop import train
from overtime.training.recipe import Recipe
from overtime.training.token_streams import Stream

with step(snakemake):
    input, options = snakemake.input, snakemake.params.recipe
    shape = options["width"], options["layers"], options["heads"], options["context"]
    model = Neox(NeoxConfig(len(word_ids(input.tokenizer)), *shape), seed=int(snakemake.wildcards.seed))

    def describe(folder):
        model.config.save(folder)
        copy_tokenizer(input.tokenizer, folder)

    stream = Stream.load(input.stream)
    chosen = precision.choose_precision(options["precision"], options["width"], "cpu", input.timings)
    train(model, describe, stream, Recipe.of(stream, options, chosen), snakemake.output.run)
