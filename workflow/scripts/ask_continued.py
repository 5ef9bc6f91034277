"""Ask the final model of a continued run the questions on inserted facts, closed book."""

from overtime.corpora.insertion_plan import read_asked
from overtime.facts.ask_inserted import inserted_answers
from overtime.files import write_table
from overtime.models.load import load
from overtime.pipeline.step import step
from overtime.training.runs import evaluate

with step(snakemake):
    run, asked = snakemake.input.run, read_asked(snakemake.input.questions)
    model, tokenizer = load(run)
    measure = inserted_answers(model, tokenizer, asked, snakemake.params.max_new_tokens)
    [scores] = evaluate(model, {run: {}}, measure, last_only=True)
    write_table(scores, snakemake.output.scores)
