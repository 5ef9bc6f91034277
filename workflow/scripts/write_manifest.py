"""Write down versions, settings, seeds and the SHA-256 of everything that went in and came out."""

import json
from pathlib import Path

from overtime.files import atomic
from overtime.pipeline.bundle import manifest
from overtime.pipeline.step import step

with step(snakemake):
    contents = manifest(snakemake.params.settings, snakemake.input.inputs, snakemake.input.outputs, Path.cwd())
    with atomic(snakemake.output.manifest) as temporary:
        temporary.write_text(json.dumps(contents, indent=2) + "\n", encoding="utf-8")
