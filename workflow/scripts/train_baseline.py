"""Train one model of the suite from scratch on a stream."""

from transformers import AutoTokenizer

from overtime.models.load import build_neox
from overtime.pipeline.step import step
from overtime.training.loop import train
from overtime.training.recipe import Recipe
from overtime.training.token_streams import Stream

with step(snakemake):
    stream, options = Stream.load(snakemake.input.stream), snakemake.params.recipe
    tokenizer = AutoTokenizer.from_pretrained(snakemake.input.tokenizer)
    shape = options["width"], options["layers"], options["heads"], len(tokenizer), options["context"]
    model = build_neox(*shape, seed=int(snakemake.wildcards.seed))
    train(model, tokenizer, stream, Recipe.of(stream, options), snakemake.output.run)
