"""Read every layer of a model at the answer cues of one task's prompts, in every condition."""

from overtime.attacks.few_shot_prompts import few_shot_prompts, load_task
from overtime.attacks.read_prompts import read_prompts
from overtime.files import write_table
from overtime.models.load import load
from overtime.models.tuned_lens import load_translators
from overtime.pipeline.step import step

with step(snakemake):
    params = snakemake.params
    model, tokenizer = load(snakemake.input.model, **params.inference, timings=snakemake.input.timings)
    task = load_task(snakemake.wildcards.task)
    prompts = few_shot_prompts(task, params.conditions, params.prompts, params.demonstrations, params.seed)
    translators = load_translators(snakemake.input.lens, model)
    write_table(read_prompts(model, tokenizer, prompts, list(task.labels), translators), snakemake.output.layers)
