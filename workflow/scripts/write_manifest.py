"""Write down versions, settings, seeds and the SHA-256 of everything that went in and came out."""

import json
from pathlib import Path

from overtime.files import atomic
from overtime.pipeline.manifest import manifest
from overtime.pipeline.step import step

with step(snakemake):
    input = snakemake.input
    contents = manifest(snakemake.params.settings, input.inputs, input.outputs, Path.cwd())
    if input.timings:  # by which the precision of what is set to auto was chosen
        contents["precision"] = json.loads(Path(input.timings).read_text(encoding="utf-8"))
    with atomic(snakemake.output.manifest) as temporary:
        temporary.write_text(json.dumps(contents, indent=2) + "\n", encoding="utf-8")
