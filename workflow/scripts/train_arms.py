"""Continue a baseline run on the stream of each arm, from its checkpoint and optimizer state at the arm's first step."""

from overtime.models.load import load
from overtime.pipeline.step import step
from overtime.training.loop import train
from overtime.training.recipe import Recipe
from overtime.training.token_streams import Stream

with step(snakemake):
    model, tokenizer = load(snakemake.input.baseline, attention="eager")
    for stream_file, run in zip(snakemake.input.streams, snakemake.output.runs):
        stream = Stream.load(stream_file)
        train(model, tokenizer, stream, Recipe.of(stream, snakemake.params.recipe), run, start=snakemake.input.baseline)
