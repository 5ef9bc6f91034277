"""Train one model of the suite from scratch on a stream."""

from transformers import AutoTokenizer

from overtime import models
from overtime.recipe import Recipe
from overtime.step import step
from overtime.streams import Stream
from overtime.train import train

with step(snakemake):
    stream, options = Stream.load(snakemake.input.stream), snakemake.params.recipe
    tokenizer = AutoTokenizer.from_pretrained(snakemake.input.tokenizer)
    shape = options["width"], options["layers"], options["heads"], len(tokenizer), options["context"]
    model = models.build_neox(*shape, seed=int(snakemake.wildcards.seed))
    train(model, tokenizer, stream, Recipe.of(stream, options), snakemake.output.run)
