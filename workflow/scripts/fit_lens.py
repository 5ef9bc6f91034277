"""Fit a tuned lens on plain text, and measure what its outputs differ from the final ones by: on this text and on others."""

import polars as pl

from overtime.files import write_table
from overtime.models.load import load
from overtime.models.tuned_lens_fit import divergence, fit, lens_texts
from overtime.pipeline.step import step

with step(snakemake):
    params = snakemake.params
    model, tokenizer = load(snakemake.input.model, **params.inference, timings=snakemake.input.timings)
    texts = lens_texts(snakemake.input.wikitext, params.needed)
    own = params.text if params.text in texts else "packages"
    translators, held_out = fit(model, tokenizer, texts.pop(own), params.tokens, params.steps, params.seed)
    translators.save(snakemake.output.lens)
    others = {name: divergence(model, tokenizer, text, translators) for name, text in texts.items()}
    tables = [table.with_columns(text=pl.lit(name)) for name, table in {own: held_out, **others}.items()]
    write_table(pl.concat(tables).with_columns(fitted_on=pl.lit(own)), snakemake.output.held_out)
