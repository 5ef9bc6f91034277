"""Score every prompt with every attack detector, fitted on other prompts."""

from overtime.attacks.detectors import score_prompts, score_with_noise
from overtime.files import read_table, write_table
from overtime.pipeline.step import step

with step(snakemake):
    tasks = {task: read_table(path) for task, path in zip(snakemake.params.tasks, snakemake.input.layers)}
    window, seed = snakemake.params.window, snakemake.params.seed
    detect = score_with_noise if snakemake.params.noise else score_prompts
    write_table(detect(tasks, window, seed=seed), snakemake.output.scores)
