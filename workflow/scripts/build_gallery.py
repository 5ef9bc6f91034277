"""Build the gallery page: every figure with its caption, the claims, and where the numbers come from."""

import json
from pathlib import Path

from overtime.figures.captions import caption
from overtime.files import read_table
from overtime.pipeline.bundle import gallery
from overtime.pipeline.step import step

with step(snakemake):
    folder, names = Path(snakemake.output.page).parent, snakemake.params.figures
    manifest = json.loads(Path(snakemake.input.manifest).read_text(encoding="utf-8"))
    captions = {name: caption(name, read_table(folder / f"figures/{name}.parquet"), manifest["settings"]) for name in names}
    gallery(folder, names, read_table(snakemake.input.claims), captions, manifest, snakemake.params.left_out)
