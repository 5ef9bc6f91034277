"""Train a published checkpoint further on packed text."""

from overtime.pipeline.step import step
from overtime.training.continue_published import continue_checkpoint
from overtime.training.processes import launch

if __name__ == "__main__":  # the processes of a run with several import this file
    with step(snakemake):
        input, params = snakemake.input, snakemake.params
        options = {**params.options, "timings": input.timings}
        arguments = (input.model, params.revision, input.stream, snakemake.output.run, options, params.device)
        launch(continue_checkpoint, arguments, params.options["processes"])
