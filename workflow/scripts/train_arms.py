"""Continue a baseline run on the stream of each arm, from its checkpoint and optimizer state at the arm's first step."""

from overtime import models
from overtime.recipe import Recipe
from overtime.step import step
from overtime.streams import Stream
from overtime.train import train

with step(snakemake):
    model, tokenizer = models.load(snakemake.input.baseline, attention="eager")
    for stream_file, run in zip(snakemake.input.streams, snakemake.output.runs):
        stream = Stream.load(stream_file)
        train(model, tokenizer, stream, Recipe.of(stream, snakemake.params.recipe), run, start=snakemake.input.baseline)
