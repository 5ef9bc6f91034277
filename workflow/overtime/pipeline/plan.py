"""What a run would cost before it starts: jobs, GPU-hours, downloads and disk, summed from what its steps ask for."""

import polars as pl


def cost_table(jobs: pl.DataFrame) -> pl.DataFrame:
    """A row per rule, in the order of first use, and the `total`.

    `jobs` holds `rule`, and for each job `gpu`, `runtime` (minutes), `download_mb`, `disk_mb` and `mem_mb`, 0 where it asks for
    none. `gpu_hours` are requested, so an upper limit; `temporary_gb` is deleted after use, here as if all were there at once;
    `memory_gb` and `gpus` are of the largest job.
    """
    cost = {
        "jobs": pl.len(),
        "gpus": pl.max("gpu"),
        "gpu_hours": (pl.col("gpu") * pl.col("runtime")).sum() / 60,
        "download_gb": pl.sum("download_mb") / 1000,
        "temporary_gb": pl.sum("disk_mb") / 1000,
        "memory_gb": pl.max("mem_mb") / 1000,
    }
    rules = jobs.group_by("rule", maintain_order=True).agg(**cost)
    total = jobs.select(rule=pl.lit("total"), **cost).head(1)
    return pl.concat([rules, total])


def cost_text(table: pl.DataFrame) -> str:
    """The table in columns, numbers to the right."""
    rows = [table.columns, *[[_cell(value) for value in row] for row in table.iter_rows()]]
    widths = [max(len(row[column]) for row in rows) for column in range(len(table.columns))]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))]) for row in rows
    ]
    rule = "-" * len(lines[0])
    return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]])


def _cell(value: object) -> str:
    return f"{value:,.1f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
