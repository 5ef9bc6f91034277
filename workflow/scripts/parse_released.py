"""Parse the authors' released files into the tables that are committed in workflow/resources/released."""

from pathlib import Path

from overtime.files import atomic
from overtime.released import write_tables
from overtime.sources import read_ledger
from overtime.step import step
from overtime.suites import count_directions

with step(snakemake):
    input, folder = snakemake.input, Path(snakemake.output.tables[0]).parent
    versions = {source.dataset: source.version for source in read_ledger(input.ledger)}
    commits = {"pythia": versions["pythia-crows-pairs"], "overthinking_the_truth": versions["overthinking-layers"]}
    evaluations, layers = Path(input.evaluations) / "evals/bias-evals", Path(input.layers) / "results/logit_lens"
    write_tables(evaluations, layers, commits, folder)
    with atomic(folder / "crows_pairs_directions.csv") as temporary:
        count_directions(input.crows_pairs).write_csv(temporary)
