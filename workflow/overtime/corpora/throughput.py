"""What taking a corpus through a task costs: measured on its shards, and estimated for a larger corpus on a cluster."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from overtime.files import read_table


def read_reports(paths: Sequence[str | Path]) -> pl.DataFrame:
    """The rows of all shards' reports, those of a task together."""
    return pl.concat([read_table(path) for path in paths], how="diagonal")


def throughput_table(reports: pl.DataFrame, gigabytes: float, nodes: int, cores: int) -> pl.DataFrame:
    """A row per task: measured `shards`, `documents`, `not_english` (of these, passed through by a rewriting), `gigabytes` (10^9
    bytes of uncompressed JSON Lines), `core_hours` of processor time and `gigabytes_per_core_hour`; and by the rule of three
    `estimated_core_hours` for `estimated_gigabytes` and `estimated_hours` on `nodes` of `cores`, all of them busy with a shard
    each and none waiting for its disk.
    """
    if "not_english" not in reports.columns:  # no task is a rewriting
        reports = reports.with_columns(not_english=0)
    measured = reports.group_by("task", maintain_order=True).agg(
        shards=pl.len(),
        documents=pl.col("documents").sum(),
        not_english=pl.col("not_english").sum(),
        gigabytes=pl.col("bytes").sum() / 1e9,
        core_hours=pl.col("cpu_seconds").sum() / 3600,
    )
    return (
        measured.with_columns(gigabytes_per_core_hour=pl.col("gigabytes") / pl.col("core_hours"))
        .with_columns(
            estimated_gigabytes=pl.lit(float(gigabytes)), estimated_core_hours=gigabytes / pl.col("gigabytes_per_core_hour")
        )
        .with_columns(nodes=pl.lit(nodes), cores=pl.lit(cores), estimated_hours=pl.col("estimated_core_hours") / (nodes * cores))
    )


def throughput_markdown(corpus: str, summary: pl.DataFrame) -> str:
    """The summary as a page: what was measured, then what is only estimated."""
    first = summary.row(0, named=True)
    size = f"{first['estimated_gigabytes']:g} GB"
    cluster = f"{first['nodes']} node(s) of {first['cores']} cores"
    head = ["task", "shards", "documents", "GB", "core-hours", "GB per core-hour", f"core-hours for {size}", "hours"]
    rows = [
        f"| {row['task']} | {row['shards']} | {row['documents']:,} | {row['gigabytes']:.3g} | {row['core_hours']:.3g} "
        f"| {row['gigabytes_per_core_hour']:.3g} | {row['estimated_core_hours']:.3g} | {row['estimated_hours']:.2g} |"
        for row in summary.iter_rows(named=True)
    ]
    passed = [f"{row['not_english']:,} in {row['task']}" for row in summary.iter_rows(named=True) if row["not_english"]]
    return "\n".join(
        [
            f"# {corpus}: throughput",
            "",
            "Measured: bytes of uncompressed JSON Lines read by the jobs, one per shard, and the processor time spent on them,",
            "with its start: shards of a few megabytes say little.",
            "",
            f"Estimated, in the last two columns: {size} at that speed, and on {cluster} that never wait for their disks.",
            "",
            f"| {' | '.join(head)} |",
            "|---|" + "---:|" * (len(head) - 1),
            *rows,
            "",
            *([f"Documents passed through because they are not in English: {', '.join(passed)}.", ""] if passed else []),
        ]
    )
