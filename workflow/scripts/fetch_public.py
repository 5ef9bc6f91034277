"""Fetch one public dataset, every file verified; where it cannot be reached, leave an empty folder and say so in one line."""

import logging

from overtime.files import atomic
from overtime.pipeline.step import step
from overtime.sources.download import fetch_dataset
from overtime.sources.ledger import read_ledger, select
from overtime.sources.places import UnreachableError

with step(snakemake):
    sources = select(read_ledger(snakemake.input.ledger), snakemake.wildcards.dataset)
    try:
        fetch_dataset(sources, snakemake.output.files, snakemake.params.mirror)
    except UnreachableError as error:
        logging.getLogger("overtime").info("going on without it: %s", error)
        with atomic(snakemake.output.files) as temporary:
            temporary.mkdir()
