"""Continue a baseline run on the stream of each arm, from its checkpoint and optimizer state at the arm's first step."""

from overtime.models import precision
from overtime.models.neox import Neox, NeoxConfig
from overtime.models.vocabulary import copy_tokenizer
from overtime.pipeline.step import step
from overtime.training.loop import train
from overtime.training.recipe import Recipe
from overtime.training.token_streams import Stream

with step(snakemake):
    input, options = snakemake.input, snakemake.params.recipe
    model = Neox(NeoxConfig.read(input.baseline))

    def describe(folder):
        model.config.save(folder)
        copy_tokenizer(input.baseline, folder)

    chosen = precision.choose_precision(options["precision"], options["width"], "cpu", input.timings)
    for file, run in zip(input.streams, snakemake.output.runs):
        stream = Stream.load(file)
        train(model, describe, stream, Recipe.of(stream, options, chosen), run, start=input.baseline)
