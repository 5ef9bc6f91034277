"""Parse the authors' released files into the tables that are committed in workflow/overtime/resources/released."""

from pathlib import Path

from overtime.bias.sentence_sets import count_directions
from overtime.files import atomic
from overtime.pipeline.step import step
from overtime.sources.independent_scores import write_independent_scores
from overtime.sources.ledger import read_ledger
from overtime.sources.released import write_tables

with step(snakemake):
    input, folder = snakemake.input, Path(snakemake.output.tables[0]).parent
    versions = {source.dataset: source.version for source in read_ledger(input.ledger)}
    commits = {"pythia": versions["pythia-crows-pairs"], "overthinking_the_truth": versions["overthinking-layers"]}
    evaluations, layers = Path(input.evaluations) / "evals/bias-evals", Path(input.layers) / "results/logit_lens"
    write_tables(evaluations, layers, commits, folder)
    write_independent_scores(Path(input.independent), folder)
    with atomic(folder / "crows_pairs_directions.csv") as temporary:
        count_directions(input.crows_pairs).write_csv(temporary)
