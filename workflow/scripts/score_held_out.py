"""Read held-out text with the final model of a continued run: tokens and negative log-likelihood of every document."""

from itertools import chain

from overtime.corpora.documents import read_documents
from overtime.files import write_table
from overtime.models.load import load
from overtime.pipeline.step import step
from overtime.training.held_out import text_losses
from overtime.training.runs import evaluate

with step(snakemake):
    run = snakemake.input.run
    texts = [document["text"] for document in chain.from_iterable(map(read_documents, snakemake.input.shards))]
    model, tokenizer = load(run)
    [scores] = evaluate(model, {run: {}}, text_losses(model, tokenizer, texts), last_only=True)
    write_table(scores, snakemake.output.scores)
