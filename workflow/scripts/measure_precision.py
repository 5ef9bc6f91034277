"""Time both precisions at all widths, for every step of the run whose precision is auto."""

import json
from pathlib import Path

from overtime.files import atomic
from overtime.models import devices, precision
from overtime.pipeline.step import step

with step(snakemake):
    device = devices.choose(snakemake.params.device)
    timings = [precision.time_products(width, device) for width in precision.WIDTHS]
    with atomic(snakemake.output.timings) as temporary:
        Path(temporary).write_text(json.dumps({"device": device, "timings": timings}, indent=2) + "\n")
